/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate/pins.c - see gate/pins.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "gate/pins.h"
#include "lib/log.h"

#define SET_PREFIX       "set-"
#define PROGRAM_PREFIX   "xdp-"
#define PROGRAM_MAPS_MAX 64
#define SETS_MAX         16
#define BPF_MOUNT        "/sys/fs/bpf"

static bool on_bpf_file_system(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

static int make_pin_directory(const struct gate *gate, struct error *err)
{
	const char *path = gate->pin_directory;

	if (!strncmp(path, BPF_MOUNT, strlen(BPF_MOUNT)) && !on_bpf_file_system(BPF_MOUNT)) {
		if (mount("bpf", BPF_MOUNT, "bpf", 0, NULL))
			return error_errno(err, ERROR_REFUSED, errno,
					   "cannot mount the BPF file system on " BPF_MOUNT);
		log_info("gate.mounted", "{s:s}", "path", BPF_MOUNT);
	}
	if (mkdir(path, 0700) && errno != EEXIST)
		return error_errno(err, ERROR_REFUSED, errno, "cannot make the pin directory %s",
				   path);
	if (!on_bpf_file_system(path))
		return error_set(err, ERROR_REFUSED,
				 "pin-directory %s is not on a BPF file system (mount -t bpf)",
				 path);
	return 0;
}

static void set_path(const struct gate *gate, int number, const char *entry, char out[PIN_PATH_MAX])
{
	if (snprintf(out, PIN_PATH_MAX, "%s/" SET_PREFIX "%d%s%s", gate->pin_directory, number,
		     *entry ? "/" : "", entry) >= PIN_PATH_MAX)
		*out = '\0'; /* no such pin: names are far shorter than the room for them */
}

static bool set_exists(const struct gate *gate, int number)
{
	char path[PIN_PATH_MAX];

	set_path(gate, number, "", path);
	return !access(path, F_OK);
}

static int read_identity(const char *path, struct identity *out)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof(info);
	const uint32_t zero = 0;
	int result = -1, fd = bpf_obj_get(path);

	if (fd < 0)
		return -1;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.value_size == sizeof(*out))
		result = bpf_map_lookup_elem(fd, &zero, out);
	close(fd);
	return result;
}

/* Whether a set can be adopted; if not, says why. */
static bool set_fits(struct gate *gate, int number)
{
	const struct identity *want = &gate->identity;
	char path[PIN_PATH_MAX];
	struct identity have;

	set_path(gate, number, "identity", path);
	if (read_identity(path, &have) || have.magic != want->magic)
		snprintf(gate->why_not, sizeof(gate->why_not),
			 "the pinned maps were left half made or are not Postern's");
	else if (have.abi_version != want->abi_version)
		snprintf(gate->why_not, sizeof(gate->why_not),
			 "the pinned maps have ABI version %u, this is version %u",
			 have.abi_version, want->abi_version);
	else if (memcmp(&have, want, sizeof(have)))
		snprintf(gate->why_not, sizeof(gate->why_not),
			 "the pinned maps have other sizes than the configuration asks for");
	else
		return true;
	return false;
}

static int create_set(struct gate *gate, struct error *err)
{
	for (int i = 1; i <= SETS_MAX; i++) {
		if (set_exists(gate, i))
			continue;
		set_path(gate, i, "", gate->set_directory);
		if (mkdir(gate->set_directory, 0700))
			return error_errno(err, ERROR_REFUSED, errno, "%s", gate->set_directory);
		return 0;
	}
	return error_set(err, ERROR_REFUSED, "%s: more than %d sets of pins; remove them",
			 gate->pin_directory, SETS_MAX);
}

/* One agent for a pin directory, whatever its state directory: two would fill the same tables. */
static int lock_pin_directory(struct gate *gate, struct error *err)
{
	gate->pin_lock = open(gate->pin_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (gate->pin_lock < 0)
		return error_errno(err, ERROR_REFUSED, errno, "%s", gate->pin_directory);
	if (flock(gate->pin_lock, LOCK_EX | LOCK_NB))
		return error_set(err, ERROR_REFUSED,
				 "pin-directory %s is in use by another posternd",
				 gate->pin_directory);
	return 0;
}

int pins_choose_set(struct gate *gate, struct error *err)
{
	int result = make_pin_directory(gate, err);

	if (!result)
		result = lock_pin_directory(gate, err);
	if (result)
		return result;
	for (int i = 1; i <= SETS_MAX; i++) {
		if (!set_exists(gate, i) || !set_fits(gate, i))
			continue;
		set_path(gate, i, "", gate->set_directory);
		gate->why_not[0] = '\0';
		gate->adopted = true;
		return 0;
	}
	return create_set(gate, err);
}

typedef void (*entry_cb)(const char *path, const char *name, void *arg);

static void each_entry(const char *directory, entry_cb cb, void *arg)
{
	char path[PIN_PATH_MAX + NAME_MAX + 1];
	struct dirent *entry;
	DIR *dir = opendir(directory);

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		cb(path, entry->d_name, arg);
	}
	closedir(dir);
}

static void remove_pin(const char *path, const char *name, void *arg)
{
	(void)name;
	(void)arg;
	unlink(path);
}

void pins_remove_others(const struct gate *gate)
{
	char path[PIN_PATH_MAX];

	for (int i = 1; i <= SETS_MAX; i++) {
		set_path(gate, i, "", path);
		if (!set_exists(gate, i) || !strcmp(path, gate->set_directory))
			continue;
		each_entry(path, remove_pin, NULL);
		rmdir(path);
		log_info("gate.pins.removed", "{s:s}", "path", path);
	}
}

void pins_remove_own(const struct gate *gate)
{
	if (!*gate->set_directory)
		return;
	each_entry(gate->set_directory, remove_pin, NULL);
	rmdir(gate->set_directory);
}

int pins_put_program(const struct gate *gate, const char *iface, int fd, struct error *err)
{
	char path[PIN_PATH_MAX + IF_NAMESIZE];

	pins_remove_program(gate, iface);
	snprintf(path, sizeof(path), "%s/" PROGRAM_PREFIX "%s", gate->set_directory, iface);
	if (bpf_obj_pin(fd, path))
		return error_errno(err, ERROR_REFUSED, errno, "cannot pin %s", path);
	return 0;
}

void pins_remove_program(const struct gate *gate, const char *iface)
{
	char path[PIN_PATH_MAX], name[sizeof(PROGRAM_PREFIX) + IF_NAMESIZE];

	snprintf(name, sizeof(name), PROGRAM_PREFIX "%s", iface);
	for (int i = 1; i <= SETS_MAX; i++) {
		set_path(gate, i, name, path);
		unlink(path);
	}
}

/* The id of a pinned program or map; 0 if there is none. */
static uint32_t pinned_id(const char *path)
{
	union {
		struct bpf_prog_info program;
		struct bpf_map_info map;
	} info = { 0 };
	uint32_t size = sizeof(info), id = 0;
	int fd = bpf_obj_get(path);

	_Static_assert(offsetof(struct bpf_prog_info, id) == offsetof(struct bpf_map_info, id),
		       "the kernel puts the id of both in one place");
	if (fd < 0)
		return 0;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size))
		id = info.map.id;
	close(fd);
	return id;
}

uint32_t pins_program_id(const struct gate *gate, const char *iface)
{
	char path[PIN_PATH_MAX], name[sizeof(PROGRAM_PREFIX) + IF_NAMESIZE];
	uint32_t id = 0;

	snprintf(name, sizeof(name), PROGRAM_PREFIX "%s", iface);
	for (int i = 1; i <= SETS_MAX && !id; i++) {
		set_path(gate, i, name, path);
		id = pinned_id(path);
	}
	return id;
}

/* The ids of the maps that a program uses; returns how many. */
static uint32_t maps_of_program(uint32_t id, uint32_t maps[PROGRAM_MAPS_MAX])
{
	struct bpf_prog_info info = { .nr_map_ids = PROGRAM_MAPS_MAX,
				      .map_ids = (uint64_t)(uintptr_t)maps };
	uint32_t size = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id), failed;

	if (fd < 0)
		return 0;
	failed = bpf_obj_get_info_by_fd(fd, &info, &size);
	close(fd);
	if (failed)
		return 0;
	return info.nr_map_ids < PROGRAM_MAPS_MAX ? info.nr_map_ids : PROGRAM_MAPS_MAX;
}

bool pins_own_program(const struct gate *gate, uint32_t id)
{
	uint32_t maps[PROGRAM_MAPS_MAX] = { 0 };
	const uint32_t count = maps_of_program(id, maps);
	char path[PIN_PATH_MAX];
	uint32_t settings;

	for (int i = 1; i <= SETS_MAX; i++) {
		set_path(gate, i, "settings", path);
		settings = pinned_id(path);
		for (uint32_t m = 0; m < count && settings; m++)
			if (maps[m] == settings)
				return true;
	}
	return false;
}

struct interface_walk {
	pins_interface_cb cb;
	void *arg;
};

static void interface_entry(const char *path, const char *name, void *arg)
{
	const struct interface_walk *walk = arg;

	(void)path;
	if (!strncmp(name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)))
		walk->cb(name + strlen(PROGRAM_PREFIX), walk->arg);
}

void pins_each_interface(const struct gate *gate, pins_interface_cb cb, void *arg)
{
	struct interface_walk walk = { cb, arg };
	char path[PIN_PATH_MAX];

	for (int i = 1; i <= SETS_MAX; i++) {
		set_path(gate, i, "", path);
		each_entry(path, interface_entry, &walk);
	}
}
