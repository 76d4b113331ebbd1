/* The errors of Lindung: one list, from which the enum and the texts are made.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LINDUNG_ERRORS_H
#define LINDUNG_ERRORS_H

/* X(name, number, text) */
#define LINDUNG_ERRORS(X)                                                                          \
	X(OK, 0, "no error")                                                                       \
	X(EINVAL, -1, "an argument is not valid")                                                  \
	X(ENOMEM, -2, "not enough memory")                                                         \
	X(EIO, -3, "the file cannot be read or written")                                           \
	X(EFORMAT, -4, "this is not such a file")                                                  \
	X(EVERSION, -5,                                                                            \
	  "the file has a format that this version does not read: compile the lists anew")         \
	X(EDAMAGED, -6, "the file is damaged")                                                     \
	X(ELIMIT, -7, "a limit is exceeded")                                                       \
	X(ENAME, -8, "this is not a domain name")                                                  \
	X(ENOTASCII, -9, "the name is not ASCII: convert it to A-labels first")                    \
	X(EIDNA, -10, "the name is not allowed by IDNA")                                           \
	X(EURL, -11, "this is not a URL")                                                          \
	X(ESYNTAX, -12, "the text does not follow the format")                                     \
	X(ENOTFOUND, -13, "there is no such thing")                                                \
	X(EEXPRESS, -14, "the format cannot express this")                                         \
	X(EMALFORMED, -15, "the DNS message is malformed")                                         \
	X(ESPACE, -16, "the buffer is too small")                                                  \
	X(ENET, -17, "the network failed")                                                         \
	X(ETIMEOUT, -18, "it took too long")                                                       \
	X(ECONFIG, -19, "the configuration is not valid")                                          \
	X(EINTERNAL, -20, "a fault of the program itself")                                         \
	X(ESIGNATURE, -21, "a signature or proof is missing or wrong")                             \
	X(EWITNESS, -22, "too few witnesses have signed")                                          \
	X(EROLLBACK, -23, "the log is older than what was seen of it before")                      \
	X(EFORK, -24, "the log shows two histories")                                               \
	X(EFROZEN, -25, "the log has not been seen to move for too long")                          \
	X(EPASSPHRASE, -26, "the passphrase does not open it")                                     \
	X(EDENIED, -27, "this is not allowed")                                                     \
	X(EEXISTS, -28, "it is there already")                                                     \
	X(EBUSY, -29, "another process holds it")

enum lindung_error {
#define LINDUNG_X(name, number, text) LINDUNG_##name = (number),
	LINDUNG_ERRORS(LINDUNG_X)
#undef LINDUNG_X
};

#ifdef __cplusplus
extern "C" {
#endif

/** The text of an error, in English; never NULL.  For an unknown number: "unknown error". */
__attribute__((visibility("default"))) const char *lindung_strerror(int error);

#ifdef __cplusplus
}
#endif
#endif
