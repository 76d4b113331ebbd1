/* What is behind `struct lindung`: a base image and the overlays over it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LD_INDEX_LAYERS_H
#define LD_INDEX_LAYERS_H

#include <lindung/lindung.h>

#include "index/effect.h"
#include "index/image.h"
#include "name/name.h"

struct ld_layer {
	struct ld_image *image;
	uint8_t map[LINDUNG_CATEGORY_MAX]; /* the image's categories to the common numbers */
};

struct lindung {
	unsigned layer_count;
	unsigned category_count;
	unsigned labels_min; /* fewest labels of a name in any layer; 1 at least */
	unsigned joint;      /* layers from here on are a second list, joined; 0: there is none */
	bool is_operator;    /* who asks may know why a name is sealed */
	struct ld_span categories[LINDUNG_CATEGORY_MAX];
	struct ld_layer layers[LINDUNG_OVERLAY_MAX + 1]; /* the base first */
};

static inline struct lindung_text
ld_text_of(struct ld_span span)
{
	return (struct lindung_text){(const char *)span.data, span.len};
}

/** Open an image that is there already; it is the list's from now on, also on an error. */
int ld_list_from_image(struct lindung **ret, struct ld_image *image);
/** As lindung_lookup_name(), as if no name were sealed: for what is written for others. */
int ld_list_lookup_open(const struct lindung *list, struct ld_span name, uint64_t active,
			struct lindung_answer *ret);
/** Lay an image over what is open; it is the list's from now on, also on an error. */
int ld_list_overlay_image(struct lindung *list, struct ld_image *image);
/** What is laid over from now on is a list of its own, with its overlays: for a name that both
 * have, both speak, in a category that both speak of the upper one.  Nothing is taken away by the
 * upper one but by its allow entries.  Once. */
void ld_list_join(struct lindung *list);

#endif
