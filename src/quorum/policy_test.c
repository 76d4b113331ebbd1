/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "list/entry.h"
#include "name/name.h"
#include "quorum/rules.h"

/* ---- Policies for tests ---------------------------------------------------------------------- */

static const char *
key_of(const char *name, enum ld_key_type type)
{
	static char texts[16][LD_KEY_TEXT_MAX];
	static unsigned next;
	struct ld_signer *signer;
	uint8_t seed[32] = {(uint8_t)type};
	char *text = texts[next++ % 16];

	memcpy(seed + 1, name, strlen(name));
	assert_int_equal(ld_signer_from_seed(&signer, name, type, seed, NULL), LINDUNG_OK);
	ld_verifier_format(ld_signer_verifier(signer), text);
	ld_signer_free(signer);
	return text;
}

/* What every policy has, and these lines. */
static struct ld_buffer
text_of(const char *lines)
{
	struct ld_buffer text;

	ld_buffer_init(&text, 1024 * 1024);
	ld_buffer_printf(&text,
			 "lindung policy 1\nlog %s\nwitness w1 %s\nwitness w2 %s\nwitness w3 %s\n"
			 "root 1 %s\n%s",
			 key_of("log.test", LD_KEY_ED25519), key_of("w1.test", LD_KEY_COSIGNATURE),
			 key_of("w2.test", LD_KEY_COSIGNATURE),
			 key_of("w3.test", LD_KEY_COSIGNATURE), key_of("root.test", LD_KEY_ED25519),
			 lines);
	return text;
}

static int
try(struct ld_policy **ret, const char *lines, struct ld_report *report)
{
	struct ld_buffer text = text_of(lines);
	int err = ld_policy_parse(ret, ld_buffer_span(&text), NULL, report);

	ld_buffer_free(&text);
	return err;
}

static struct ld_policy *
read_good(const char *lines)
{
	struct ld_policy *policy;
	struct ld_report report;
	int err = try(&policy, lines, &report);

	if (err != LINDUNG_OK)
		fail_msg("%s", report.text);
	return policy;
}

#define CATEGORY "quorum none\ncategory one\nagree kind:ngo\n"

/* ---- Lines ----------------------------------------------------------------------------------- */

static void
what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *lines, *says;
	} cases[] = {
		{"", "which witnesses"},
		{"quorum none\nquorum", "missing behind"},
		{"quorum w4\n", "neither a group"},
		{"quorum kind:ngo\n", "witnesses are meant"},
		{"quorum none\nfrob x\n", "no line of a policy begins with \"frob\""},
		{"quorum none\nagree kind:ngo\n", "belongs behind a line \"category KEY\""},
		{"quorum none\ncategory one\nlives 3d\n", "who must agree"},
		{CATEGORY "agree kind:ngo\n", "stands above in this category"},
		{CATEGORY "category one\nagree kind:ngo\n", "category one stands above"},
		{CATEGORY "category One\n", "no key of a category"},
		{CATEGORY "lives 0d\n", "is no time"},
		{CATEGORY "lives 3654d\n", "at most 3653d"},
		{CATEGORY "lives never\n", "is no time"},
		{CATEGORY "lives 5w\n", "is no time"},
		{CATEGORY "suspend 0 kind:ngo\n", "N GROUP"},
		{CATEGORY "suspend kind:ngo\n", "N GROUP"},
		{CATEGORY "sealed maybe\n", "required, allowed or refused"},
		{CATEGORY "uphold w1\n", "parties are meant"},
		{CATEGORY "laxer because\n", NULL}, /* nothing is included: no matter */
		{"quorum none\nlaxer because\nmax-age 3d\n", "not laxer"},
		{"quorum none\nlaxer because\n", "before no line"},
		{"quorum none\npopular builtin\n", "no list of well-known sites"},
		{"quorum none\npopular names.txt\n", "no files"},
		{"quorum none\ninclude other\n", "no files"},
		{"quorum none\ngroup g 2 a.test\n", "nobody can satisfy"},
		{"quorum none\ngroup g 0 a.test\n", "any, all or a number"},
		{"quorum none\ngroup g 257 kind:ngo\n", "nobody can satisfy"},
		{"quorum none\ngroup g all kind:ngo\n", "never known"},
		{"quorum none\ngroup g all a.test a.test\n", "stands twice"},
		{"quorum none\ngroup g any a.test\ngroup g any b.test\n", "stands already"},
		{"quorum none\ngroup g any h\n", "neither a group"},
		{"quorum none\ngroup g any root\n", "neither a group"},
		{"quorum none\ngroup g.x any a.test\n", "letters, digits"},
		{"quorum none\ngroup all any a.test\n", "cannot be a name"},
		{"quorum none\ngroup g any kind:nobody\n", "no kind of party"},
		{"quorum none\ngroup g any kind:ngo/\n", "no country"},
		{"quorum none\ngroup g any country:id\n", "no country"},
		{"quorum none\ngroup g any w1 a.test\n", "not both"},
		{"group g any w1 w2\ngroup h any w1\nquorum g\n", "in two groups"},
		{"quorum none\nroot 2 x\n", ""},
		{"quorum none\nroot 1 until 2030-13-01 x\n", "no day"},
		{"quorum none\nflood everything 3\n", "statements, listed or disputed"},
		{"quorum none\nflood listed 0\n", "a number from 1"},
		{"quorum none\nquorum none\n", "quorum stands above"},
		{"quorum none\nmax-age 3d\nmax-age 2d\n", "max-age stands above"},
		{"quorum none\nupholder none\nupholder none\n", "upholder stands above"},
		{"quorum none\nflood listed 3\nflood disputed 3\nflood listed 2\n", "stands above"},
		{"quorum none\nwitness w1 x\n", "stands already"},
		{"quorum none\noperator nobody\n", "id of a party"},
		{"quorum none\x01\n", "control character"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ld_policy *policy = NULL;
		struct ld_report report = {{0}};
		int err = try(&policy, cases[i].lines, &report);

		if (cases[i].says == NULL) {
			/* "laxer" in a category that nothing stands before means nothing. */
			assert_int_equal(err, LINDUNG_OK);
			ld_policy_free(policy);
			continue;
		}
		if (err == LINDUNG_OK || strstr(report.text, cases[i].says) == NULL)
			fail_msg("%s: %d %s", cases[i].lines, err, report.text);
		assert_null(policy);
	}
}

static void
a_key_of_the_wrong_type_is_refused(void **state)
{
	struct ld_policy *policy;
	struct ld_report report;
	char lines[512];

	(void)state;
	snprintf(lines, sizeof lines, "quorum none\nwitness w4 %s\n",
		 key_of("w4.test", LD_KEY_ED25519));
	assert_int_equal(try(&policy, lines, &report), LINDUNG_ESYNTAX);
	assert_non_null(strstr(report.text, "not of a witness"));
	snprintf(lines, sizeof lines, "quorum none\nwitness w4 %s\n",
		 key_of("w1.test", LD_KEY_COSIGNATURE));
	assert_int_equal(try(&policy, lines, &report), LINDUNG_ESYNTAX);
	assert_non_null(strstr(report.text, "the key of witness w1 again"));
	snprintf(lines, sizeof lines, "quorum none\nroot 1 %s\n", key_of("r", LD_KEY_COSIGNATURE));
	assert_int_equal(try(&policy, lines, &report), LINDUNG_ESYNTAX);
}

static void
witnesses_suffice(void **state)
{
	struct ld_policy *policy =
		read_good("group two 2 w1 w2\ngroup g any two w3\nquorum g\nmax-age 2h\n");
	const struct ld_trust *trust = ld_policy_trust(policy);

	(void)state;
	assert_int_equal(trust->witness_count, 3);
	assert_int_equal(trust->age_max_s, 7200);
	assert_false(trust->suffices(trust->ctx, 0));
	assert_false(trust->suffices(trust->ctx, 1));
	assert_false(trust->suffices(trust->ctx, 2));
	assert_true(trust->suffices(trust->ctx, 3));
	assert_true(trust->suffices(trust->ctx, 4));
	assert_true(ld_span_equal(ld_policy_origin(policy), LD_SPAN("log.test")));
	ld_policy_free(policy);
	policy = read_good("quorum none\n");
	trust = ld_policy_trust(policy);
	assert_true(trust->suffices(trust->ctx, 0));
	ld_policy_free(policy);
}

static void
groups_in_groups_have_limits(void **state)
{
	struct ld_buffer text;
	struct ld_policy *policy;
	struct ld_report report;

	(void)state;
	ld_buffer_init(&text, 65536);
	ld_buffer_printf(&text, "quorum none\ngroup g0 any kind:ngo\n");
	for (int i = 1; i < 20; i++)
		ld_buffer_printf(&text, "group g%d any g%d\n", i, i - 1);
	ld_buffer_bytes(&text, LD_SPAN("\0"));
	assert_int_equal(try(&policy, (const char *)text.data, &report), LINDUNG_ELIMIT);
	assert_non_null(strstr(report.text, "deep"));
	ld_buffer_free(&text);
	/* Each twice as costly as the one before: what it costs to count is bounded. */
	ld_buffer_printf(&text, "quorum none\ngroup a0 2 kind:ngo kind:police\n");
	ld_buffer_printf(&text, "group b0 any kind:ngo\n");
	for (int i = 1; i < 14; i++)
		ld_buffer_printf(&text, "group a%d 2 a%d b%d\ngroup b%d any a%d b%d\n", i, i - 1,
				 i - 1, i, i - 1, i - 1);
	ld_buffer_bytes(&text, LD_SPAN("\0"));
	assert_int_equal(try(&policy, (const char *)text.data, &report), LINDUNG_ELIMIT);
	assert_non_null(strstr(report.text, "4096 members"));
	ld_buffer_free(&text);
}

/* Two long chains of groups: what is shown takes a bounded number of steps. */
static void
what_can_be_shown_is_bounded(void **state)
{
	struct ld_buffer text;
	struct ld_policy *policy;

	(void)state;
	ld_buffer_init(&text, 65536);
	ld_buffer_printf(&text, "quorum none\ngroup a0 2 kind:ngo kind:isp\n"
				"group b0 2 kind:police kind:isp\n");
	for (int i = 1; i < 15; i++)
		ld_buffer_printf(&text, "group a%d any a%d\ngroup b%d any b%d\n", i, i - 1, i,
				 i - 1);
	ld_buffer_bytes(&text, LD_SPAN("\0"));
	policy = read_good((const char *)text.data);
	assert_false(ld_group_implies(policy, (int)policy->group_count - 2,
				      (int)policy->group_count - 1));
	ld_policy_free(policy);
	ld_buffer_free(&text);
}

/* ---- The hash -------------------------------------------------------------------------------- */

static void
the_hash_is_of_the_meaning(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{CATEGORY, "# hello\nquorum   none # x\n\ncategory one\n\tagree kind:ngo", true},
		{"quorum none\ngroup g 2 a.test kind:ngo\ncategory one\nagree g\n",
		 "quorum none\ngroup h 2 kind:ngo a.test\ncategory one\nagree h\n", true},
		{"quorum none\ngroup g any kind:ngo\ncategory one\nagree g\n", CATEGORY, true},
		{CATEGORY "clock never\nsuspend never\n", CATEGORY, true},
		{CATEGORY "lives 24h\n", CATEGORY "lives 1d\n", true},
		{CATEGORY "category two\nagree kind:isp\n",
		 "quorum none\ncategory two\nagree kind:isp\ncategory one\nagree kind:ngo\n", true},
		{CATEGORY "lives 2d\n", CATEGORY "lives 1d\n", false},
		{CATEGORY "sealed required\n", CATEGORY, false},
		{CATEGORY "clock 1d\n", CATEGORY, false},
		{CATEGORY "popular kind:ngo\n", CATEGORY, false},
		{CATEGORY "suspend 1 kind:ngo\n", CATEGORY "suspend 2 kind:ngo\n", false},
		{CATEGORY "uphold kind:ngo\n", CATEGORY, false},
		{"upholder kind:ngo\n" CATEGORY, CATEGORY "uphold kind:ngo\n", true},
		{CATEGORY "category two\nagree kind:ngo\n", CATEGORY, false},
		{"quorum none\ngroup g 2 kind:ngo\ncategory one\nagree g\n", CATEGORY, false},
		{"quorum none\ngroup g any kind:ngo/ID\ncategory one\nagree g\n", CATEGORY, false},
		{"operator a.test\n" CATEGORY, CATEGORY, false},
		{"flood listed 5\n" CATEGORY, CATEGORY, false},
		{"max-age 1d\n" CATEGORY, CATEGORY, false},
		{"group g any w1\nquorum g\n", "quorum none\n", false},
		{"quorum w1\n", "group g any w1\nquorum g\n", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ld_policy *a = read_good(cases[i].a), *b = read_good(cases[i].b);
		uint8_t x[32], y[32];

		ld_policy_hash(a, x);
		ld_policy_hash(b, y);
		if ((memcmp(x, y, sizeof x) == 0) != cases[i].same)
			fail_msg("%s\n----\n%s", cases[i].a, cases[i].b);
		ld_policy_free(a);
		ld_policy_free(b);
	}
}

/* ---- Includes -------------------------------------------------------------------------------- */

struct folder {
	char path[64];
};

static int
folder_make(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	strcpy(f->path, "/tmp/lindung-policy-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	*state = f;
	return 0;
}

static void
file_write(const struct folder *f, const char *name, struct ld_span text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", f->path, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text.data, 1, text.len, file), text.len);
	assert_int_equal(fclose(file), 0);
}

static int
folder_end(void **state)
{
	static const char *const names[] = {"base", "own", "names"};
	struct folder *f = *state;
	char path[128];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->path), 0);
	free(f);
	return 0;
}

/* A policy `own` with these lines, that includes `base` with those. */
static int
include(const struct folder *f, const char *base, const char *own, struct ld_policy **ret,
	struct ld_report *report)
{
	struct ld_buffer text = text_of(base), all;
	char path[128];

	file_write(f, "base", ld_buffer_span(&text));
	ld_buffer_free(&text);
	ld_buffer_init(&all, 65536);
	ld_buffer_printf(&all, "lindung policy 1\ninclude base\n%s", own);
	file_write(f, "own", ld_buffer_span(&all));
	ld_buffer_free(&all);
	snprintf(path, sizeof path, "%s/own", f->path);
	return ld_policy_open(ret, path, NULL, report);
}

#define BASE                                                                                       \
	"quorum w1\nmax-age 3d\nflood listed 10\n"                                                 \
	"group few 2 kind:ngo kind:police a.test\n"                                                \
	"group p any x.test\ngroup q any y.test\ngroup r any z.test\ngroup pqr 2 p q r\n"          \
	"category one\nagree few\nlives 30d\nsuspend 2 kind:ngo\nuphold few\nclock 9d\n"           \
	"category three\nagree pqr\n"                                                              \
	"category *\nagree few\npopular kind:ngo\n"

static void
an_included_policy_gets_stricter_only(void **state)
{
	/* NULL: it is taken; else what is laxer. */
	static const struct {
		const char *own, *laxer;
	} cases[] = {
		{"", NULL},
		{"category one\nlives 29d\n", NULL},
		{"category one\nlives 31d\n", "lives"},
		{"category one\nlives 31d\nlaxer we check by hand\n", NULL},
		{"category one\nlives 29d\nlaxer we check by hand\n", "is not"},
		{"group g 3 kind:ngo kind:police a.test\ncategory one\nagree g\n", NULL},
		{"group g 2 kind:ngo/ID a.test\ncategory one\nagree g\n", NULL},
		{"group g all a.test few\ncategory one\nagree g\n", NULL},
		{"group g all a.test b.test\ncategory one\nagree g\n", "agree"},
		{"group g any kind:ngo kind:police a.test\ncategory one\nagree g\n", "agree"},
		{"group g 2 kind:ngo kind:isp\ncategory one\nagree g\n", "agree"},
		{"group g any a.test few\ncategory one\nagree g\n", "agree"},
		{"group g 3 p r q\ncategory three\nagree g\n", NULL},
		/* One member by two names: who is it satisfies two. */
		{"group again any x.test\ngroup g 2 p again q\ncategory three\nagree g\n", "agree"},
		{"category one\npopular kind:isp\n", NULL},
		{"category one\nsealed required\n", NULL},
		{"category one\nsuspend 1 kind:ngo\n", "suspend"},
		{"category one\nsuspend 3 kind:ngo\n", "suspend"},
		{"category one\nsuspend never\n", "suspend"},
		{"category one\nuphold kind:ngo\n", "uphold"},
		{"category one\nclock 8d\n", "clock"},
		{"category one\nclock never\n", "clock"},
		/* One that is not named falls under the star, and takes over what that says. */
		{"category two\npopular none\n", "popular"},
		{"category two\nlives 3d\n", NULL},
		{"category two\nagree kind:ngo\n", "agree"},
		{"category *\nlives 3d\ncategory two\nagree kind:ngo\n", "agree"},
		{"category *\nlives 3d\ncategory two\nlives 4d\n", NULL},
		{"max-age 2d\n", NULL},
		{"max-age 4d\n", "max-age"},
		{"max-age never\n", "max-age"},
		{"laxer we are often offline\nmax-age 4d\n", NULL},
		{"flood listed 9\n", NULL},
		{"flood listed none\n", "flood"},
		{"quorum none\n", "quorum"},
		{"quorum w2\n", "quorum"},
		{"group g all w1 w2\nquorum g\n", NULL},
		{"group g any w1 w2\nquorum g\n", "quorum"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ld_policy *policy = NULL;
		struct ld_report report = {{0}};
		int err = include(*state, BASE, cases[i].own, &policy, &report);

		if (cases[i].laxer == NULL && err != LINDUNG_OK)
			fail_msg("%s: %s", cases[i].own, report.text);
		if (cases[i].laxer != NULL && strcmp(cases[i].laxer, "is not") != 0 &&
		    err != LINDUNG_EDENIED)
			fail_msg("%s: %d %s", cases[i].own, err, report.text);
		if (cases[i].laxer != NULL && strstr(report.text, cases[i].laxer) == NULL)
			fail_msg("%s: %s", cases[i].own, report.text);
		ld_policy_free(policy);
	}
}

static int
remark_count(void *ctx, const char *text, bool is_wrong)
{
	unsigned *counts = ctx;

	(void)text;
	counts[is_wrong]++;
	return LINDUNG_OK;
}

static void
what_is_laxer_is_remarked(void **state)
{
	struct ld_policy *policy;
	struct ld_report report;
	unsigned before[2] = {0}, after[2] = {0};

	assert_int_equal(include(*state, BASE, "", &policy, &report), LINDUNG_OK);
	ld_policy_remarks(policy, remark_count, before);
	ld_policy_free(policy);
	assert_int_equal(
		include(*state, BASE, "category one\nlives 99d\nlaxer we look\n", &policy, &report),
		LINDUNG_OK);
	ld_policy_remarks(policy, remark_count, after);
	assert_int_equal(after[0], before[0] + 1);
	ld_policy_free(policy);
}

static void
a_circle_of_includes_ends(void **state)
{
	const struct folder *f = *state;
	struct ld_policy *policy;
	struct ld_report report;
	char path[128];

	file_write(f, "own", LD_SPAN("lindung policy 1\ninclude own\n"));
	snprintf(path, sizeof path, "%s/own", f->path);
	assert_int_equal(ld_policy_open(&policy, path, NULL, &report), LINDUNG_ELIMIT);
	assert_non_null(strstr(report.text, "circle"));
	file_write(f, "own", LD_SPAN("lindung policy 1\ninclude nothing\n"));
	assert_int_equal(ld_policy_open(&policy, path, NULL, &report), LINDUNG_EIO);
	assert_non_null(strstr(report.text, "nothing"));
}

static void
what_nobody_can_satisfy_is_remarked(void **state)
{
	static const struct {
		const char *lines;
		unsigned wrong;
	} cases[] = {
		{"quorum none\nmax-age never\ngroup g any kind:ngo\ncategory one\nagree g\nclock "
		 "1d\nuphold g\n",
		 0},
		{"quorum none\ngroup g any a.test\ngroup h all a.test g\ncategory one\nagree h\n",
		 1},
		{"quorum none\ngroup g 2 kind:ngo\ngroup h any g\ncategory one\nagree h\n", 0},
		{CATEGORY "clock 3d\n", 1},
		{CATEGORY "popular kind:ngo\n", 1},
		{"quorum none\n", 1},
		{"max-age 3d\n" CATEGORY, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ld_policy *policy = read_good(cases[i].lines);
		unsigned counts[2] = {0};

		ld_policy_remarks(policy, remark_count, counts);
		if (counts[1] != cases[i].wrong)
			fail_msg("%s: %u wrong", cases[i].lines, counts[1]);
		ld_policy_free(policy);
	}
}

/* ---- Well-known names ------------------------------------------------------------------------ */

static void
well_known_names(void **state)
{
	static const struct {
		const char *host;
		uint8_t scope;
		bool is;
	} cases[] = {
		{"bank.test", LD_SCOPE_TREE, true},      {"bank.test", LD_SCOPE_SELF, true},
		{"bank.test", LD_SCOPE_BELOW, true},     {"bank.test", LD_SCOPE_URL, false},
		{"www.bank.test", LD_SCOPE_TREE, true},  {"m.bank.test", LD_SCOPE_SELF, true},
		{"mm.bank.test", LD_SCOPE_TREE, false},  {"notbank.test", LD_SCOPE_TREE, false},
		{"www.test", LD_SCOPE_SELF, false},      {"deep.test", LD_SCOPE_TREE, true},
		{"deep.test", LD_SCOPE_SELF, false},     {"b.deep.test", LD_SCOPE_BELOW, true},
		{"a.b.deep.test", LD_SCOPE_BELOW, true}, {"x.a.b.deep.test", LD_SCOPE_TREE, false},
		{"eep.test", LD_SCOPE_TREE, false},      {"zz.test", LD_SCOPE_TREE, false},
	};
	struct ld_popular popular = {0};
	struct ld_report report;

	(void)state;
	assert_int_equal(
		ld_popular_read(&popular,
				LD_SPAN("# names\nbank.test # x\n\na.b.deep.test\nbank.test"), "x",
				&report),
		LINDUNG_OK);
	assert_int_equal(popular.count, 2);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t key[LD_HOST_MAX];
		size_t len = ld_host_to_key(key, ld_span_str(cases[i].host));

		if (ld_popular_has(&popular, ld_span(key, len), cases[i].scope) != cases[i].is)
			fail_msg("%s %d", cases[i].host, cases[i].scope);
	}
	assert_int_equal(ld_popular_read(&popular, LD_SPAN("ok.test\nno name\n"), "x", &report),
			 LINDUNG_ESYNTAX);
	assert_non_null(strstr(report.text, "x:2"));
	ld_popular_clear(&popular);
}

/* ---- What ships ------------------------------------------------------------------------------ */

/* Whoever is named by the letters: Ministry, Hotline, Police, Ngo, School, Isp, Academic, Company.
 */
static bool
suffice(const struct ld_policy *policy, int group, const char *who)
{
	static const char letters[] = "MHPNSIAC";
	struct ld_voter voters[8];
	size_t count = 0;

	for (; *who != '\0'; who++)
		voters[count++] = (struct ld_voter){
			.named = -1, .kind = (uint8_t)(strchr(letters, *who) - letters)};
	return ld_group_agrees(policy, group, voters, count);
}

static void
the_default_rules_are_meant(const struct ld_policy *policy)
{
	static const struct {
		const char *category, *enough, *too_few;
	} cases[] = {
		{"csam", "HP HN PM HH MPN", "H P M N NN MN NNA IH HS"},
		{"gambling", "M P NN NA HN MI NI HS", "N H A I C II IS NC"},
		{"adult", "M NN", "N S"},
		{"phishing", "M H N C I", "S"},
		{"selfharm", "MN NN PH", "M N CC"},
		{"fakenews", "MNA NNN HPN", "M MN NN CCC"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (int enough = 0; enough < 2; enough++) {
			const struct ld_rule *rule =
				ld_policy_rule(policy, ld_span_str(cases[i].category));
			char sets[64], *at = NULL;

			snprintf(sets, sizeof sets, "%s",
				 enough ? cases[i].enough : cases[i].too_few);
			for (char *who = strtok_r(sets, " ", &at); who != NULL;
			     who = strtok_r(NULL, " ", &at))
				if (suffice(policy, rule->agree, who) != (bool)enough)
					fail_msg("%s: %s", cases[i].category, who);
		}
	const struct ld_rule *rule = ld_policy_rule(policy, LD_SPAN("gambling"));
	/* A well-known name: an authority and one that is none. A decision: three, not all
	 * authorities. */
	assert_true(suffice(policy, rule->popular, "MN"));
	assert_true(suffice(policy, rule->popular, "PH"));
	assert_false(suffice(policy, rule->popular, "MMPP"));
	assert_false(suffice(policy, rule->popular, "NNH"));
	assert_true(suffice(policy, rule->uphold, "MPN"));
	assert_false(suffice(policy, rule->uphold, "MPP"));
	assert_false(suffice(policy, rule->uphold, "NN"));
}

static void
the_default_policy_is_in_order(void **state)
{
	const char *data = getenv("LINDUNG_DATA");
	struct ld_buffer text;
	struct ld_policy *policy;
	struct ld_report report;
	char path[512], popular[512];
	unsigned counts[2] = {0};

	assert_non_null(data);
	snprintf(popular, sizeof popular, "%s/popular.txt", data);
	text = text_of("");
	ld_buffer_printf(&text, "quorum w1\nmax-age 3d\ninclude %s/policy/default.policy\n", data);
	file_write(*state, "own", ld_buffer_span(&text));
	ld_buffer_free(&text);
	snprintf(path, sizeof path, "%s/own", ((const struct folder *)*state)->path);
	if (ld_policy_open(&policy, path, popular, &report) != LINDUNG_OK)
		fail_msg("%s", report.text);
	ld_policy_remarks(policy, remark_count, counts);
	assert_int_equal(counts[1], 0);
	assert_true(policy->popular.count > 2000);
	the_default_rules_are_meant(policy);
	assert_int_equal(ld_policy_rule(policy, LD_SPAN("csam"))->sealed, LD_SEALED_REQUIRED);
	assert_string_equal(ld_policy_rule(policy, LD_SPAN("something"))->category, "*");
	ld_policy_free(policy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_key_of_the_wrong_type_is_refused),
		cmocka_unit_test(witnesses_suffice),
		cmocka_unit_test(groups_in_groups_have_limits),
		cmocka_unit_test(what_can_be_shown_is_bounded),
		cmocka_unit_test(the_hash_is_of_the_meaning),
		cmocka_unit_test_setup_teardown(an_included_policy_gets_stricter_only, folder_make,
						folder_end),
		cmocka_unit_test_setup_teardown(what_is_laxer_is_remarked, folder_make, folder_end),
		cmocka_unit_test_setup_teardown(a_circle_of_includes_ends, folder_make, folder_end),
		cmocka_unit_test(what_nobody_can_satisfy_is_remarked),
		cmocka_unit_test(well_known_names),
		cmocka_unit_test_setup_teardown(the_default_policy_is_in_order, folder_make,
						folder_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
