/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/holder.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "index/layers.h"

/* A list that is, or was, in force. */
struct version {
	STAILQ_ENTRY(version) link;
	struct lindung *list;
	uint64_t generation; /* the one that replaced it */
};

struct ld_holder {
	struct ld_board *board;
	struct version *current; /* NULL: none yet */
	STAILQ_HEAD(, version) retired;
};

int
ld_layers_open(struct lindung **ret, const int *fds, unsigned count, unsigned followed, bool verify,
	       unsigned *ret_failed)
{
	struct lindung *list = NULL;
	int err = LINDUNG_OK;

	for (unsigned i = 0; i < count && err == LINDUNG_OK; i++) {
		struct ld_image *image;

		if (i != 0 && i == followed)
			ld_list_join(list);
		err = ld_image_open_fd(&image, fds[i], verify ? LINDUNG_VERIFY : 0);
		if (err == LINDUNG_OK)
			err = i == 0 ? ld_list_from_image(&list, image)
				     : ld_list_overlay_image(list, image);
		if (err != LINDUNG_OK && ret_failed != NULL)
			*ret_failed = i;
	}
	if (err != LINDUNG_OK) {
		lindung_close(list);
		return err;
	}
	*ret = list;
	return LINDUNG_OK;
}

int
ld_holder_new(struct ld_holder **ret, struct ld_board *board)
{
	struct ld_holder *holder = calloc(1, sizeof *holder);

	if (holder == NULL)
		return LINDUNG_ENOMEM;
	holder->board = board;
	STAILQ_INIT(&holder->retired);
	*ret = holder;
	return LINDUNG_OK;
}

static void
version_free(struct version *version)
{
	if (version == NULL)
		return;
	lindung_close(version->list);
	free(version);
}

void
ld_holder_free(struct ld_holder *holder)
{
	if (holder == NULL)
		return;
	ld_holder_sweep(holder, UINT64_MAX);
	version_free(holder->current);
	free(holder);
}

int
ld_holder_put(struct ld_holder *holder, const int *fds, unsigned count, unsigned followed)
{
	uint64_t generation =
		atomic_load_explicit(&holder->board->generation, memory_order_relaxed) + 1;
	struct version *version = calloc(1, sizeof *version);
	int err;

	if (version == NULL)
		return LINDUNG_ENOMEM;
	err = ld_layers_open(&version->list, fds, count, followed, false, NULL);
	if (err != LINDUNG_OK) {
		free(version);
		return err;
	}
	atomic_store_explicit(&holder->board->list, version->list, memory_order_release);
	atomic_store_explicit(&holder->board->generation, generation, memory_order_release);
	if (holder->current != NULL) {
		holder->current->generation = generation;
		STAILQ_INSERT_TAIL(&holder->retired, holder->current, link);
	}
	holder->current = version;
	return LINDUNG_OK;
}

void
ld_holder_sweep(struct ld_holder *holder, uint64_t generation)
{
	struct version *version;

	while ((version = STAILQ_FIRST(&holder->retired)) != NULL &&
	       version->generation <= generation) {
		STAILQ_REMOVE_HEAD(&holder->retired, link);
		version_free(version);
	}
}
