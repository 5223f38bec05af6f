/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for libbpf's header where the XDP program is compiled for the host. */
#include <endian.h>

#define bpf_htons(x)       htobe16(x)
#define bpf_ntohs(x)       be16toh(x)
#define bpf_htonl(x)       htobe32(x)
#define bpf_ntohl(x)       be32toh(x)
#define bpf_cpu_to_be64(x) htobe64(x)
