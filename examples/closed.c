/* Are these names or URLs closed?  cc closed.c $(pkg-config --cflags --libs lindung)
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include <lindung/lindung.h>

int
main(int argc, char **argv)
{
	struct lindung *list;
	struct lindung_answer answer;
	int err = argc > 1 ? lindung_open(&list, argv[1], 0) : LINDUNG_EINVAL;

	if (err != LINDUNG_OK) {
		fprintf(stderr, "usage: closed IMAGE NAME|URL ...: %s\n", lindung_strerror(err));
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (strchr(argv[i], '/') != NULL)
			err = lindung_lookup_url(list, argv[i], strlen(argv[i]), LINDUNG_ALL,
						 &answer);
		else
			err = lindung_lookup_name(list, argv[i], strlen(argv[i]), LINDUNG_ALL,
						  &answer);
		if (err != LINDUNG_OK)
			printf("%s: %s\n", argv[i], lindung_strerror(err));
		else
			printf("%s: %s\n", argv[i],
			       answer.verdict == LINDUNG_BLOCK ? "closed" : "open");
	}
	lindung_close(list);
	return 0;
}
