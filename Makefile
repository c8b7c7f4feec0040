# codr: builds into build/ (BUILD=dir), never into the source directories.
#
#   make               the module, the helper
#   make run           build, start nginx on PORT (8080), show every language
#   make test          build, run the tests; test-all adds the long ones
#   make deps          install the Debian and npm packages this needs
#   make playground    the web page (part of run and test)
#   make install       below DESTDIR, prefix
#
# NGINX_SRC=dir builds the module against another nginx tree of the very
# version that will load it.  CC, CFLAGS, LDFLAGS as usual; SANITIZE=LIST is
# what `make asan` sets.

BUILD     = build
NGINX_SRC = /usr/share/nginx/src
NGINX     = /usr/sbin/nginx
PORT      = 8080
CFLAGS    = -O2 -g
LDFLAGS   =
SANITIZE  =

prefix    = /usr
libdir    = $(prefix)/lib
modulesdir = $(libdir)/nginx/modules
helperdir = $(libdir)/codr
sharedir  = $(prefix)/share/codr
mandir    = $(prefix)/share/man
docdir    = $(prefix)/share/doc/codr
sysconfdir = /etc
INSTALL   = install

# Packages of Debian 12: a word is a package, or package:file, where the file
# (a newer node, a compiler of one's own) does as well as the package.
DEPS_BUILD = gcc:/usr/bin/gcc libc6-dev make autoconf nginx nginx-dev \
             libwslay-dev libjansson-dev libssl-dev libseccomp-dev libmd-dev
DEPS_PAGE  = nodejs:/usr/bin/node npm:/usr/bin/npm
DEPS_RUN   = nginx libwslay1 libjansson4 libseccomp2 libmd0 \
             python3:/usr/bin/python3 nodejs:/usr/bin/node \
             gcc:/usr/bin/gcc g++:/usr/bin/g++ rustc:/usr/bin/rustc
DEPS_TEST  = perl openssl curl clang:/usr/bin/clang lua5.4 \
             user-mode-linux:/usr/bin/linux prometheus:/usr/bin/promtool \
             chromium:/usr/bin/chromium

comma := ,

# What is specific to a processor is a file of its own.
MACHINE    := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
SANDBOX_SRC = $(filter-out sandbox/codr_syscalls_%,\
                  $(wildcard sandbox/codr_*.c)) \
              $(wildcard sandbox/codr_syscalls_$(MACHINE).c)
SANDBOX_OBJ = $(SANDBOX_SRC:sandbox/%.c=$(BUILD)/sandbox/%.o)
MODULE_SRC  = $(wildcard module/ngx_http_codr*.[ch]) \
              $(addprefix sandbox/codr_limits,.c .h) \
              $(addprefix sandbox/codr_proto,.c .h)
UNIT_SRC    = $(wildcard t/unit/test_*.c)
UNIT        = $(UNIT_SRC:t/unit/%.c=$(BUILD)/t/unit/%)
PROBE_SRC   = $(wildcard t/sandbox/probe_*.c)
PROBE       = $(PROBE_SRC:t/sandbox/%.c=$(BUILD)/t/sandbox/%)
FUZZ_SRC    = $(wildcard t/fuzz/fuzz_*.c)
BENCH       = $(wildcard t/bench/run)

INDIRECT    = run test test-all asan deps clean

# Recipes are shown by what they make; V=1 shows the commands.
Q = $(if $(V),,@echo '  MAKE   $@';)

WARN = -std=c11 -Wall -Wextra -Wshadow -Wconversion -Werror

MODULE = $(BUILD)/ngx_http_codr_module.so
HELPER = $(BUILD)/codr-sandboxd

all: $(MODULE) $(HELPER)

# Goals that build nothing themselves do not configure: what that needs may
# not be installed yet.
ifneq ($(filter-out $(INDIRECT),$(or $(MAKECMDGOALS),all)),)
-include $(BUILD)/config.mk
endif
-include $(SANDBOX_OBJ:.o=.d) $(UNIT:=.d)


# Configuration.  The settings file changes only when its text does.

SETTINGS = CC=$(CC) CFLAGS=$(CFLAGS) LDFLAGS=$(LDFLAGS) SANITIZE=$(SANITIZE) \
           NGINX_SRC=$(NGINX_SRC) HELPER=$(helperdir)/codr-sandboxd

$(BUILD)/settings: FORCE
	@mkdir -p $(@D)
	@echo '$(SETTINGS)' | cmp -s - $@ || echo '$(SETTINGS)' >$@

$(BUILD)/configure: config.m4
	@mkdir -p $(@D)
	@cd $(@D) && autoconf -o configure '$(CURDIR)/config.m4'

$(BUILD)/config.mk: $(BUILD)/configure $(BUILD)/settings
	$(Q)cd $(@D) && ./configure -q --srcdir='$(CURDIR)' \
	    $(if $(SANITIZE),--enable-sanitizers='$(SANITIZE)' )\
	    CC='$(CC)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)'


# The helper: every sandbox/codr_*.c.

COMPILE = $(CC) $(WARN) $(CFLAGS) $(HARDEN_CFLAGS) $(PIE_CFLAGS) \
          $(SANITIZE_FLAGS) -DCODR_VERSION='"$(VERSION)"' -MMD -MP
LIBS    = -Wl,--as-needed -lseccomp -lmd
HELPER_EXTRA = $(if $(SANITIZE),t/asan/options.c)
LINK    = $(CC) $(CFLAGS) $(PIE_LDFLAGS) $(HARDEN_LDFLAGS) \
          $(SANITIZE_FLAGS) $(LDFLAGS)

$(BUILD)/sandbox/%.o: sandbox/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -c -o $@ $<

$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(SANDBOX_SRC)' | cmp -s - $@ || echo '$(SANDBOX_SRC)' >$@

$(HELPER): $(SANDBOX_OBJ) $(BUILD)/sources
	$(Q)$(LINK) -o $@ $(SANDBOX_OBJ) $(HELPER_EXTRA) $(LIBS)


# The module: nginx's own build, with nginx's own warnings.  configure runs
# again only when the list of sources, `config` or the settings change.

NGINX_BUILD = $(abspath $(BUILD))/nginx

MODULE_CFLAGS  = $(CFLAGS) -fPIC $(HARDEN_CFLAGS) $(SANITIZE_FLAGS) \
                 -DCODR_VERSION=\"$(VERSION)\" \
                 -DNGX_HTTP_CODR_HELPER_PATH=\"$(helperdir)/codr-sandboxd\"
MODULE_LDFLAGS = $(LDFLAGS) $(HARDEN_LDFLAGS) $(SANITIZE_FLAGS)

$(BUILD)/module.list: FORCE
	@mkdir -p $(@D)
	@echo '$(MODULE_SRC)' | cmp -s - $@ || echo '$(MODULE_SRC)' >$@

$(BUILD)/nginx/Makefile: config $(BUILD)/module.list $(BUILD)/config.mk
	@mkdir -p $(@D)
	@echo '  CONF   nginx'
	@cd '$(NGINX_SRC)' && unset CFLAGS LDFLAGS && \
	if [ -f conf_flags ]; then . ./conf_flags; \
	else NGX_CONF_FLAGS=(--with-compat); fi && \
	if [ -f configure ]; then configure=./configure; \
	else configure=auto/configure; fi && \
	bash $$configure --with-cc='$(CC)' \
	    --with-cc-opt='$(strip $(MODULE_CFLAGS))' \
	    --with-ld-opt='$(strip $(MODULE_LDFLAGS))' \
	    "$${NGX_CONF_FLAGS[@]}" --add-dynamic-module='$(CURDIR)' \
	    --builddir='$(NGINX_BUILD)' >'$(NGINX_BUILD)/configure.log' || \
	{ tail -n 20 '$(NGINX_BUILD)/configure.log' >&2; exit 1; }
	@touch $@

$(BUILD)/nginx/Makefile: SHELL = /bin/bash

$(MODULE): $(MODULE_SRC) $(BUILD)/nginx/Makefile
	$(Q)$(MAKE) --no-print-directory -f '$(NGINX_BUILD)/Makefile' \
	    -C '$(NGINX_SRC)' modules $(if $(V),,>/dev/null)
	@cp -f '$(NGINX_BUILD)/$(@F)' $@.new && mv -f $@.new $@


include playground/playground.mk


# Running and testing.

run: deps
	@$(MAKE) --no-print-directory serve

serve: all playground
	@BUILD='$(BUILD)' CODR_NGINX='$(NGINX)' PORT='$(PORT)' conf/run

TEST_ENV = CODR_BUILD='$(abspath $(BUILD))' CODR_NGINX='$(NGINX)' \
           CODR_PAGE='$(abspath $(PAGE))'

test: deps
	@$(MAKE) --no-print-directory check

test-all: deps
	@$(MAKE) --no-print-directory check CODR_LONG=1

# Without the packages: what a developer repeats.  TESTS='t/module/*.t' selects.
check: all unit probes playground
	@$(TEST_ENV) CODR_LONG='$(CODR_LONG)' t/run $(TESTS)

# nginx itself is not rebuilt: the sanitizer's runtime is loaded before it.
asan:
	@CODR_SANITIZER=$$($(CC) -print-file-name=libasan.so) \
	    $(MAKE) --no-print-directory BUILD='$(BUILD)/asan' check \
	    PAGE='$(PAGE)' \
	    SANITIZE=address$(comma)undefined CFLAGS='-O1 -g'

unit: $(UNIT)
probes: $(PROBE)

$(BUILD)/libcodr.a: $(SANDBOX_OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/t/unit/%: t/unit/%.c $(BUILD)/libcodr.a
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(BUILD)/libcodr.a $(LIBS)

# Probes run inside sandboxes and outside of them, as the control: static, so
# that they need nothing there.
$(BUILD)/t/sandbox/%: t/sandbox/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) $(CFLAGS) -static -o $@ $<

# Fuzzers need clang's libFuzzer; FUZZ_SECONDS bounds each.
FUZZ_SECONDS = 60
FUZZ_FLAGS   = -fsanitize=fuzzer,address,undefined

fuzz: $(FUZZ_SRC)
	@mkdir -p $(BUILD)/fuzz
	@set -e; for src in $(FUZZ_SRC); do \
	    name=$$(basename $$src .c); mkdir -p $(BUILD)/fuzz/$$name.corpus; \
	    clang $(WARN) -O1 -g $(FUZZ_FLAGS) \
	        -o $(BUILD)/fuzz/$$name $$src \
	        sandbox/codr_proto.c sandbox/codr_limits.c; \
	    $(BUILD)/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) \
	        -print_final_stats=0 $(BUILD)/fuzz/$$name.corpus; \
	done

bench: all
	@$(TEST_ENV) t/bench/run


# Packages and installation.

deps:
	@missing() { for word in "$$@"; do \
	        file=$${word#*:}; package=$${word%%:*}; \
	        [ "$$file" != "$$word" ] && [ -x "$$file" ] && continue; \
	        dpkg-query -W -f '$${Status}\n' "$$package" 2>/dev/null | \
	            grep -q 'ok installed' || echo "$$package"; \
	    done; }; \
	needed=$$(missing $(DEPS_BUILD) $(DEPS_RUN) $(DEPS_PAGE)); \
	all=$$( (missing $(DEPS_TEST); echo "$$needed") | sort -u | xargs); \
	if [ -z "$$all" ]; then :; \
	elif [ "$$(id -u)" = 0 ]; then \
	    export DEBIAN_FRONTEND=noninteractive; \
	    apt-get update -q || :; \
	    apt-get install -q -y --no-install-recommends $$all; \
	else \
	    echo "make deps: not root; please install these packages:" >&2; \
	    echo "    apt-get install --no-install-recommends $$all" >&2; \
	    [ -z "$$needed" ]; \
	fi
	@$(MAKE) --no-print-directory page-deps

install: all install-page
	$(INSTALL) -d '$(DESTDIR)$(modulesdir)' '$(DESTDIR)$(helperdir)' \
	    '$(DESTDIR)$(sysconfdir)/codr' '$(DESTDIR)$(sharedir)/snippets'
	$(INSTALL) -m 0644 $(MODULE) '$(DESTDIR)$(modulesdir)/'
	$(INSTALL) -m 0755 $(HELPER) '$(DESTDIR)$(helperdir)/'
	$(INSTALL) -m 0644 conf/languages.conf '$(DESTDIR)$(sysconfdir)/codr/'
	$(INSTALL) -m 0644 conf/snippets/*.conf \
	    '$(DESTDIR)$(sharedir)/snippets/'
	for page in docs/*.8; do [ -f "$$page" ] || continue; \
	    $(INSTALL) -D -m 0644 "$$page" \
	        "$(DESTDIR)$(mandir)/man8/$${page##*/}" || exit 1; done

clean:
	rm -rf '$(BUILD)'

FORCE:

.PHONY: all run serve test test-all check asan unit probes fuzz bench deps \
        install clean FORCE
.DELETE_ON_ERROR:
