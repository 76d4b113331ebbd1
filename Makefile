# SPDX-License-Identifier: BSD-2-Clause
# The commands of every day; the building itself is Meson's (meson.build, HACKING.md).
SECONDS = 60
DESTDIR =
PREFIX = /usr/local

help:	## these lines
	@sed -n 's/^\([a-z]*\):[^#]*## */  make \1	/p' Makefile | expand -t 20

run: build	## build, compile the starter lists, answer on 127.0.0.1 and ::1, port 5354
	@tools/run

build: packages	## a release build in build/, with the Debian packages that are missing
	@# Without build.ninja what Meson left behind is of a set-up that was broken off.
	@test -e build/build.ninja || { rm -rf build/meson-private && meson setup build; }
	@ninja -C build

packages:
	@tools/install-packages build

test:	## everything that CI runs: tests, the same under ASan and UBSan, style, manuals
	@tools/install-packages test
	@tools/test

quick:	## the tests on the release build alone
	@tools/install-packages test
	@tools/test --quick

region: build	## play the worked example: eight countries keep a list together
	@examples/region/play build/programs/lindung

bench: build	## measure size and speed, against the bars
	@tools/install-packages bench
	@bench/run

fuzz:	## run all fuzz targets for SECONDS=60 in total
	@tools/install-packages fuzz
	@tools/fuzz $(SECONDS)

man: build	## make the manual pages and the example file anew from our tables
	cp build/man/lindung.1 build/man/lindung.conf.5 man/
	cp build/man/lindung.yaml packaging/

format:	## clang-format all C files
	@tools/test --format

install: build	## install below DESTDIR= and PREFIX=/usr/local
	@meson configure build "-Dprefix=$(PREFIX)" >/dev/null
	@meson install -C build $(if $(DESTDIR),--destdir "$$(realpath -m -- "$(DESTDIR)")")

deb:	## Debian packages, in build-deb/
	@tools/install-packages deb
	@tools/make-deb

clean:	## remove everything that was built
	rm -rf build build-asan build-fuzz build-deb

.PHONY: help run build packages test quick region bench fuzz man format install deb clean
