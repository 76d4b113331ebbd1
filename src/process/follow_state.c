/* What a follower keeps.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "process/follow_parts.h"

enum {
	STATE_MAX_BYTES = LD_CHECKPOINT_MAX_BYTES + 4096,
	READ_BYTES = 1024 * 1024,
	ENTRY_MAX_BYTES = 2 + 65535,
	HEX_CHARS = 2 * LD_HASH_BYTES,
};

static const char first_line[] = "lindung follow 1\n";

const char *
ld_follow_path(const struct ld_follow *f, const char *name, char path[FOLLOW_PATH_MAX])
{
	snprintf(path, FOLLOW_PATH_MAX, "%s/%s", f->state, name);
	return path;
}

static int
fail_errno(struct ld_report *report, const char *path)
{
	return ld_fail(report, LINDUNG_EIO, "%s: %s", path, strerror(errno));
}

static void
hex_write(char ret[HEX_CHARS + 1], const uint8_t hash[LD_HASH_BYTES])
{
	for (int i = 0; i < LD_HASH_BYTES; i++)
		snprintf(ret + 2 * (size_t)i, 3, "%02x", hash[i]);
}

/* ---- Opening -------------------------------------------------------------------------------- */

int
ld_follow_state_open(struct ld_follow *f, struct ld_report *report)
{
	if (mkdir(f->state, 0700) != 0 && errno != EEXIST)
		return fail_errno(report, f->state);
	f->lock_fd = open(f->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->lock_fd < 0)
		return fail_errno(report, f->state);
	if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK
			       ? ld_fail(report, LINDUNG_EBUSY,
					 "%s: another process follows a log here", f->state)
			       : fail_errno(report, f->state);
	return LINDUNG_OK;
}

/* ---- Entries -------------------------------------------------------------------------------- */

static int
entries_open(struct ld_follow *f, struct ld_report *report)
{
	char path[FOLLOW_PATH_MAX];

	if (f->entries_fd >= 0)
		return LINDUNG_OK;
	f->entries_fd =
		open(ld_follow_path(f, "entries", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return f->entries_fd >= 0 ? LINDUNG_OK : fail_errno(report, path);
}

int
ld_follow_entries_add(struct ld_follow *f, struct ld_span bundle, struct ld_report *report)
{
	char path[FOLLOW_PATH_MAX];
	int err = entries_open(f, report);
	size_t done = 0;

	if (err != LINDUNG_OK)
		return err;
	/* What a step that did not come to its end has left behind is written over. */
	while (done < bundle.len) {
		ssize_t n = pwrite(f->entries_fd, bundle.data + done, bundle.len - done,
				   (off_t)(f->entries_bytes + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_errno(report, ld_follow_path(f, "entries", path));
		done += (size_t)n;
	}
	if (fdatasync(f->entries_fd) != 0)
		return fail_errno(report, ld_follow_path(f, "entries", path));
	return LINDUNG_OK;
}

/* Entries through a window that moves over the file. */
int
ld_follow_entries(struct ld_follow *f, uint64_t first, uint64_t size, follow_each *each, void *ctx,
		  struct ld_report *report)
{
	uint8_t *window = malloc(READ_BYTES + ENTRY_MAX_BYTES);
	uint64_t at = 0, index = 0;
	size_t have = 0;
	int err = window != NULL ? entries_open(f, report) : LINDUNG_ENOMEM;

	if (window == NULL)
		return ld_fail(report, LINDUNG_ENOMEM, "not enough memory");
	while (err == LINDUNG_OK && index < size) {
		ssize_t n = pread(f->entries_fd, window + have, READ_BYTES, (off_t)(at + have));
		struct ld_reader r;
		struct ld_span entry;
		size_t used = 0;

		if (n <= 0) {
			err = ld_fail(report, LINDUNG_EDAMAGED, "%s/entries: it is cut", f->state);
			break;
		}
		r = ld_reader(ld_span(window, have + (size_t)n));
		while (err == LINDUNG_OK && index < size && ld_bundle_next(&r, &entry)) {
			if (index >= first)
				err = each(ctx, index, entry);
			index++;
			used = r.at;
		}
		have = have + (size_t)n - used;
		at += used;
		memmove(window, window + used, have);
		/* What is left is less than one entry. */
		LD_ASSERT(index >= size || err != LINDUNG_OK || have < ENTRY_MAX_BYTES);
	}
	free(window);
	return err;
}

/* ---- Blocks --------------------------------------------------------------------------------- */

void
ld_follow_block_name(char ret[80], const uint8_t hash[32], const char *suffix)
{
	char hex[HEX_CHARS + 1];

	hex_write(hex, hash);
	snprintf(ret, 80, "block/%s%s", hex, suffix);
}

int
ld_follow_block_read(void *ctx, const uint8_t hash[32], struct ld_buffer *ret,
		     struct ld_report *report)
{
	const struct ld_follow *f = ctx;
	char name[80], path[FOLLOW_PATH_MAX];
	struct ld_map map;
	struct ld_hash is;

	ld_follow_block_name(name, hash, "");
	if (ld_map_open(&map, ld_follow_path(f, name, path)) != LINDUNG_OK)
		return errno == ENOENT ? LINDUNG_ENOTFOUND : fail_errno(report, path);
	/* One that is damaged here is fetched again. */
	ld_hash_of(&is, map.bytes);
	if (memcmp(is.bytes, hash, LD_HASH_BYTES) != 0) {
		ld_map_close(&map);
		(void)unlink(path);
		return LINDUNG_ENOTFOUND;
	}
	ld_buffer_bytes(ret, map.bytes);
	ld_map_close(&map);
	return ret->failed ? ld_fail(report, LINDUNG_ENOMEM, "not enough memory for a block")
			   : LINDUNG_OK;
}

int
ld_follow_block_write(struct ld_follow *f, const char *name, struct ld_span bytes,
		      struct ld_report *report)
{
	char path[FOLLOW_PATH_MAX];
	struct ld_replace file;
	int err = ld_replace_begin(&file, ld_follow_path(f, name, path), report);

	if (err != LINDUNG_OK)
		return err;
	if (ld_write_all(file.fd, bytes.data, bytes.len) != LINDUNG_OK)
		err = fail_errno(report, path);
	if (err == LINDUNG_OK)
		return ld_replace_commit(&file, report);
	ld_replace_abandon(&file);
	return err;
}

void
ld_follow_evidence_write(struct ld_follow *f, struct ld_span checkpoint)
{
	char path[FOLLOW_PATH_MAX];
	struct ld_report why;
	struct ld_buffer both;

	if (access(ld_follow_path(f, "fork", path), F_OK) == 0)
		return;
	ld_buffer_init(&both, 2 * LD_CHECKPOINT_MAX_BYTES + 1);
	ld_buffer_bytes(&both, ld_buffer_span(&f->checkpoint));
	ld_buffer_bytes(&both, LD_SPAN("\n"));
	ld_buffer_bytes(&both, checkpoint);
	/* Where there is no room for it, the line that tells of it is what there is. */
	(void)ld_follow_block_write(f, "fork", ld_buffer_span(&both), &why);
	ld_buffer_free(&both);
}

/* ---- The state ------------------------------------------------------------------------------ */

/* What the images depend on beside the log: the policy's meaning and the keys held. */
static void
setting_hash(const struct ld_follow *f, char ret[HEX_CHARS + 1])
{
	uint8_t parts[32 + 16] = {0};
	struct ld_hash hash;

	ld_policy_hash(f->policy, parts);
	if (f->openers != NULL)
		ld_openers_derive(f->openers, LD_SPAN("lindung follow state"), parts + 32);
	ld_hash_of(&hash, ld_span(parts, sizeof parts));
	explicit_bzero(parts, sizeof parts);
	hex_write(ret, hash.bytes);
}

/* Files of steps that did not come to their end, and of images that are in force no more. */
static void
rest_remove(const struct ld_follow *f)
{
	DIR *dir = opendir(f->state);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		char path[FOLLOW_PATH_MAX];

		if ((strncmp(name, "base-", 5) != 0 && strncmp(name, "changes-", 8) != 0 &&
		     strncmp(name, "state.", 6) != 0) ||
		    strcmp(name, f->base.name) == 0 || strcmp(name, f->overlay.name) == 0)
			continue;
		(void)unlink(ld_follow_path(f, name, path));
	}
	if (dir != NULL)
		closedir(dir);
}

static void
image_line(struct ld_buffer *b, const char *what, const struct follow_image *image)
{
	char hex[HEX_CHARS + 1];

	if (image->name[0] == '\0')
		return;
	hex_write(hex, image->hash.bytes);
	ld_buffer_printf(b, "%s %s %s\n", what, image->name, hex);
}

int
ld_follow_state_write(struct ld_follow *f, struct ld_report *report)
{
	char setting[HEX_CHARS + 1];
	struct ld_buffer b;
	int err;

	ld_buffer_init(&b, STATE_MAX_BYTES);
	setting_hash(f, setting);
	ld_buffer_printf(&b,
			 "%ssetting %s\nsize %" PRIu64 "\nbytes %" PRIu64 "\nimages %" PRIu64 "\n",
			 first_line, setting, f->tree.size, f->entries_bytes, f->image_number);
	image_line(&b, "base", &f->base);
	image_line(&b, "overlay", &f->overlay);
	ld_buffer_printf(&b, "checkpoint\n");
	ld_buffer_bytes(&b, ld_buffer_span(&f->checkpoint));
	err = b.failed ? ld_fail(report, LINDUNG_ENOMEM, "not enough memory")
		       : ld_follow_block_write(f, "state", ld_buffer_span(&b), report);
	ld_buffer_free(&b);
	f->is_saved = err == LINDUNG_OK;
	if (err == LINDUNG_OK)
		rest_remove(f);
	return err;
}

/* The value of the next line, which begins with `key`; empty if it is another. */
static struct ld_span
line_take(struct ld_span *text, const char *key)
{
	size_t len = strlen(key), end = ld_span_find(*text, '\n');
	struct ld_span line = ld_span_first(*text, end);

	if (!ld_span_starts(line, ld_span_str(key)) || line.len < len + 2 || line.data[len] != ' ')
		return (struct ld_span){NULL, 0};
	*text = ld_span_from(*text, end + 1);
	return ld_span_from(line, len + 1);
}

static uint64_t
number_take(struct ld_span *text, const char *key)
{
	struct ld_span value = line_take(text, key);
	char digits[24] = "";

	if (value.len < sizeof digits)
		memcpy(digits, value.data, value.len);
	return strtoull(digits, NULL, 10);
}

static void
image_take(struct ld_span *text, const char *key, struct follow_image *ret)
{
	struct ld_span value = line_take(text, key), name, hex;
	size_t blank = ld_span_find(value, ' ');

	name = ld_span_first(value, blank);
	hex = ld_span_from(value, blank + 1);
	if (name.len == 0 || name.len >= sizeof ret->name || hex.len != HEX_CHARS ||
	    ld_span_has_any(name, "/"))
		return;
	for (int i = 0; i < LD_HASH_BYTES; i++) {
		char two[3] = {(char)hex.data[2 * i], (char)hex.data[2 * i + 1], '\0'};

		ret->hash.bytes[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	memcpy(ret->name, name.data, name.len);
	ret->name[name.len] = '\0';
}

/* The checkpoint of the state; its signatures are checked, not its age, nor whether the clock is as
 * far yet: what was seen once is not forgotten because of a clock. */
static int
checkpoint_take(struct ld_follow *f, struct ld_span bytes, struct ld_report *report)
{
	struct ld_trust trust = *ld_policy_trust(f->policy);
	struct ld_trusted trusted;
	int err;

	ld_buffer_free(&f->checkpoint);
	ld_buffer_bytes(&f->checkpoint, bytes);
	trust.age_max_s = 0;
	err = ld_checkpoint_check(&trusted, ld_buffer_span(&f->checkpoint), &trust, INT64_MAX,
				  report);
	if (err != LINDUNG_OK) {
		ld_buffer_free(&f->checkpoint);
		return err;
	}
	f->seen = trusted.checkpoint;
	f->checkpoint_s = trusted.time_s;
	return LINDUNG_OK;
}

static int
leaf_add(void *ctx, uint64_t index, struct ld_span entry)
{
	struct ld_tree *tree = ctx;
	struct ld_hash leaf;

	(void)index;
	ld_hash_leaf(&leaf, entry);
	ld_tree_append(tree, &leaf);
	return LINDUNG_OK;
}

int
ld_follow_state_read(struct ld_follow *f, struct ld_report *report)
{
	char path[FOLLOW_PATH_MAX], setting[HEX_CHARS + 1];
	struct ld_span text, mark = LD_SPAN("checkpoint\n"), value;
	struct ld_hash root;
	uint8_t *data;
	size_t len;
	uint64_t size;
	int err;

	/* By the user that is to write there. */
	if (mkdir(ld_follow_path(f, "block", path), 0700) != 0 && errno != EEXIST)
		return fail_errno(report, path);
	if (access(ld_follow_path(f, "state", path), F_OK) != 0)
		return LINDUNG_OK; /* the first start */
	err = ld_read_file(path, STATE_MAX_BYTES, &data, &len, report);
	if (err != LINDUNG_OK)
		return err;
	text = ld_span(data, len);
	if (ld_span_starts(text, LD_SPAN("lindung follow 1\n")))
		text = ld_span_from(text, sizeof first_line - 1);
	value = line_take(&text, "setting");
	setting_hash(f, setting);
	size = number_take(&text, "size");
	f->entries_bytes = number_take(&text, "bytes");
	f->image_number = number_take(&text, "images");
	image_take(&text, "base", &f->base);
	image_take(&text, "overlay", &f->overlay);
	if (!ld_span_equal(value, ld_span_str(setting)) || !ld_span_starts(text, mark))
		/* Another policy: what it makes of the entries is to be seen. */
		f->base.name[0] = f->overlay.name[0] = '\0';
	err = ld_span_starts(text, mark)
		      ? checkpoint_take(f, ld_span_from(text, mark.len), report)
		      : ld_fail(report, LINDUNG_EDAMAGED, "%s: it is damaged", path);
	free(data);
	if (err == LINDUNG_OK)
		err = ld_follow_entries(f, 0, size, leaf_add, &f->tree, report);
	if (err == LINDUNG_OK) {
		ld_tree_root_now(&f->tree, &root);
		if (size != f->seen.size || !ld_hash_equal(&root, &f->seen.root))
			err = ld_fail(report, LINDUNG_EDAMAGED,
				      "%s/entries: not what the checkpoint is of", f->state);
	}
	if (err != LINDUNG_OK) {
		/* The checkpoint stays: no log that is older, or another, is believed. */
		f->tree = (struct ld_tree){.size = 0};
		f->entries_bytes = 0;
	}
	rest_remove(f);
	f->is_saved = err == LINDUNG_OK;
	return LINDUNG_OK;
}
