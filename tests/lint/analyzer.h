/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tests/lint/analyzer.h - what clang-tidy's analyzer cannot see, because it looks at one file at a
 * time.
 *
 * `make check-tidy` includes it before every file but lib/error.c. Nothing else does.
 */
#ifndef POSTERN_TESTS_LINT_ANALYZER_H
#define POSTERN_TESTS_LINT_ANALYZER_H

#include "lib/error.h"

/* These return the code that they are given, which is never 0. */
#define error_set(err, code, ...)           (error_set(err, code, __VA_ARGS__), (code))
#define error_errno(err, code, number, ...) (error_errno(err, code, number, __VA_ARGS__), (code))

#endif
