# codr: builds into build/ (BUILD=dir), never into the source directories.
#
#   make               the module, the helper, the validator, the client
#   make run           build, start nginx on PORT (8080), show every language
#   make test          build, run the tests; test-all adds the long ones
#   make fuzz          fuzz targets, each for FUZZ_SECONDS
#   make soak          a steady load for five minutes (SOAK_SECONDS)
#   make deps          install the Debian and npm packages this needs
#   make playground    the web page (part of run and test)
#   make install       below DESTDIR, prefix
#   make deb           Debian packages in build/deb
#
# NGINX_SRC=dir builds the module against another nginx tree of the very
# version that will load it.  CC, CFLAGS, LDFLAGS as usual; SANITIZE=LIST is
# what `make asan` sets; STATIC=no links the helper dynamically.

BUILD     = build
NGINX_SRC = /usr/share/nginx/src
NGINX     = /usr/sbin/nginx
PORT      = 8080
CFLAGS    = -O2 -g
LDFLAGS   =
SANITIZE  =

prefix    = /usr
bindir    = $(prefix)/bin
sbindir   = $(prefix)/sbin
libdir    = $(prefix)/lib
modulesdir = $(libdir)/nginx/modules
helperdir = $(libdir)/codr
sharedir  = $(prefix)/share/codr
mandir    = $(prefix)/share/man
docdir    = $(prefix)/share/doc/codr
sysconfdir = /etc
unitdir   = /lib/systemd/system
INSTALL   = install

# Packages of Debian 12: a word is a package, or package:file, where the file
# (a newer node, a compiler of one's own) does as well as the package.
DEPS_BUILD = gcc:/usr/bin/gcc libc6-dev make autoconf nginx nginx-dev \
             libwslay-dev libjansson-dev libhiredis-dev libssl-dev zlib1g-dev \
             libseccomp-dev libmd-dev libpcre2-dev npm:/usr/bin/npm \
             python3:/usr/bin/python3 libpython3-dev
DEPS_PAGE  = nodejs:/usr/bin/node npm:/usr/bin/npm
DEPS_RUN   = nginx libwslay1 libssl3 libjansson4 libhiredis0.14 zlib1g \
             libseccomp2 libmd0 libpcre2-8-0 \
             python3:/usr/bin/python3 nodejs:/usr/bin/node \
             gcc:/usr/bin/gcc g++:/usr/bin/g++ rustc:/usr/bin/rustc
DEPS_TEST  = perl openssl curl clang:/usr/bin/clang lua5.4 \
             strace:/usr/bin/strace \
             user-mode-linux:/usr/bin/linux prometheus:/usr/bin/promtool \
             chromium:/usr/bin/chromium redis-server:/usr/bin/redis-server \
             mandoc:/usr/bin/mandoc
DEPS_DEB   = dpkg-dev debhelper

# What only the long suite needs.
DEPS_LONG  = libpython3.11-testsuite:/usr/lib/python3.11/test/test_atexit.py \
             libclang-rt-14-dev clang-tidy:/usr/bin/clang-tidy \
             cppcheck:/usr/bin/cppcheck systemd:/lib/systemd/systemd rust-src

comma := ,

# What is specific to a processor is a file of its own.
MACHINE    := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
SANDBOX_SRC = $(filter-out sandbox/codr_syscalls_%,\
                  $(wildcard sandbox/codr_*.c)) \
              $(wildcard sandbox/codr_syscalls_$(MACHINE).c)
SANDBOX_OBJ = $(SANDBOX_SRC:sandbox/%.c=$(BUILD)/sandbox/%.o)
MODULE_SRC  = $(wildcard module/ngx_http_codr*.[ch]) \
              $(addprefix sandbox/codr_limits,.c .h) \
              $(addprefix sandbox/codr_place,.c .h) \
              $(addprefix sandbox/codr_proto,.c .h)
ECHO_SRC    = $(wildcard t/echo/*.c)
UNIT_SRC    = $(wildcard t/unit/test_*.c)
UNIT        = $(UNIT_SRC:t/unit/%.c=$(BUILD)/t/unit/%)
PROBE_SRC   = $(wildcard t/sandbox/probe_*.c)
PROBE       = $(PROBE_SRC:t/sandbox/%.c=$(BUILD)/t/sandbox/%)
BENCH       = $(wildcard t/bench/run)

# A folder of validators/ is a language; its name is that of the grammar, whose
# package is tree-sitter-NAME, of anybody's.
GRAMMARS    = $(patsubst validators/%/bindings.scm,%,\
                  $(sort $(wildcard validators/*/bindings.scm)))
NPM_DIR     = build/npm
PARSERS     = $(NPM_DIR)/node_modules
TREE_SITTER = $(PARSERS)/tree-sitter/vendor/tree-sitter/lib
VALIDATOR_SRC = $(wildcard validators/codr_*.c)
VALIDATOR_OBJ = $(VALIDATOR_SRC:validators/%.c=$(BUILD)/validators/%.o)
POLICY_SRC  = $(wildcard validators/*/*.scm)

INDIRECT    = run test test-all asan asan-build fuzz analyze \
              deb deps parsers peers clean

# Recipes are shown by what they make; V=1 shows the commands.
Q = $(if $(V),,@echo '  MAKE   $@';)

WARN = -std=c11 -Wall -Wextra -Wshadow -Wconversion -Werror

MODULE = $(BUILD)/ngx_http_codr_module.so
HELPER = $(BUILD)/codr-sandboxd
SHORTCUT = $(BUILD)/codr-shortcut
VALIDATOR = $(BUILD)/codr-validator
POLICIES = $(POLICY_SRC:validators/%=$(BUILD)/policies/%)

ZYGOTES = $(BUILD)/codr-zygote-node.so \
          $(if $(PYTHON_INCLUDE),$(BUILD)/codr-zygote-python.so)

all: $(MODULE) $(HELPER) $(SHORTCUT) $(VALIDATOR) $(POLICIES) zygotes

# Goals that build nothing themselves do not configure: what that needs may
# not be installed yet.
ifneq ($(filter-out $(INDIRECT),$(or $(MAKECMDGOALS),all)),)
-include $(BUILD)/config.mk
endif
-include $(SANDBOX_OBJ:.o=.d) $(VALIDATOR_OBJ:.o=.d) $(UNIT:=.d)


# Configuration.  The settings file changes only when its text does.

SETTINGS = CC=$(CC) CFLAGS=$(CFLAGS) LDFLAGS=$(LDFLAGS) SANITIZE=$(SANITIZE) \
           STATIC=$(STATIC) \
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
	    $(if $(filter no,$(STATIC)),--disable-static-helper )\
	    CC='$(CC)' CFLAGS='$(CFLAGS)' LDFLAGS='$(LDFLAGS)'


# The helper: every sandbox/codr_*.c.

COMPILE = $(CC) $(WARN) $(CFLAGS) $(HARDEN_CFLAGS) $(PIE_CFLAGS) \
          $(SANITIZE_FLAGS) -DCODR_VERSION='"$(VERSION)"' \
          -DCODR_LANGUAGES='"$(sysconfdir)/codr/languages.conf"' -MMD -MP
LIBS    = -Wl,--as-needed -lseccomp -lmd
HELPER_EXTRA = $(if $(SANITIZE),t/asan/options.c $(FAILING))
FAILING = t/asan/failing.c \
          $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc posix_memalign)
LINK    = $(CC) $(CFLAGS) $(PIE_LDFLAGS) $(HARDEN_LDFLAGS) \
          $(SANITIZE_FLAGS) $(LDFLAGS)

$(BUILD)/sandbox/%.o: sandbox/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -c -o $@ $<

$(BUILD)/sources: FORCE
	@mkdir -p $(@D)
	@echo '$(SANDBOX_SRC)' | cmp -s - $@ || echo '$(SANDBOX_SRC)' >$@

# What compile sandboxes execute: static, as it is started for each compilation.
$(SHORTCUT): shortcut/codr_shortcut.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) $(CFLAGS) $(HARDEN_CFLAGS) $(HARDEN_LDFLAGS) \
	    $(if $(filter -static-pie,$(HELPER_LDFLAGS)),-fPIE -static-pie,\
	        -static) -o $@ $<

$(HELPER): $(SANDBOX_OBJ) $(BUILD)/sources
	$(Q)$(CC) $(CFLAGS) $(HELPER_LDFLAGS) $(HARDEN_LDFLAGS) \
	    $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $(SANDBOX_OBJ) \
	    $(HELPER_EXTRA) $(LIBS)


# The validator.  Parsers are foreign code: generated tables and tree-sitter's
# core, compiled without our warnings; the npm packages are what they come
# from, nothing of npm runs.

GRAMMAR_OBJ = $(GRAMMARS:%=$(BUILD)/grammars/%.grammar.o)
CORE_OBJ    = $(BUILD)/grammars/tree-sitter.o
FOREIGN     = $(CC) -std=c11 -w -O2 $(HARDEN_CFLAGS) $(PIE_CFLAGS) \
              $(SANITIZE_FLAGS) -D_DEFAULT_SOURCE -D_POSIX_C_SOURCE=200112L
VALIDATOR_COMPILE = $(COMPILE) -I$(TREE_SITTER)/include -Isandbox \
              -I$(BUILD)/grammars
TABLES      = alloc,load,readonly,data,contents
VALIDATOR_LIBS = -Wl,--as-needed -lpcre2-8 -lseccomp -lmd

$(PARSERS)/.stamp: validators/package-lock.json
	@[ -f $@ ] && cmp -s $< $(NPM_DIR)/package-lock.json || \
	    { echo "the parsers are missing: make deps" >&2; exit 1; }

CORE_SRC    = validators/core/codr_core.c
CORE_PARTS  = $(wildcard validators/core/*.c) validators/codr_core.h \
              validators/codr_rows.h validators/codr_tree.h

$(CORE_OBJ): $(CORE_PARTS) $(PARSERS)/.stamp \
             $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(FOREIGN) -I$(TREE_SITTER)/include -I$(TREE_SITTER)/src -c -o $@ \
	    $(CORE_SRC)

# parser.c and, where there is one, scanner.c become one object, whose tables
# have a section of their own: the linker says where that is.
$(BUILD)/grammars/%.grammar.o: $(PARSERS)/.stamp $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)set -e; src=$$(echo $(PARSERS)/tree-sitter-$*/src \
	    $(PARSERS)/@*/tree-sitter-$*/src | tr ' ' '\n' | \
	    while read -r dir; do [ -f "$$dir/parser.c" ] && echo "$$dir"; \
	    done | head -n 1); \
	[ -n "$$src" ] || { echo "no grammar $*" >&2; exit 1; }; \
	$(FOREIGN) -I$$src -c -o $(@:.o=.parser.o) $$src/parser.c; \
	objects=$(@:.o=.parser.o); \
	if [ -f $$src/scanner.c ]; then \
	    $(FOREIGN) -I$$src -c -o $(@:.o=.scanner.o) $$src/scanner.c; \
	    objects="$$objects $(@:.o=.scanner.o)"; \
	fi; \
	$(CC) -r -nostdlib -o $@ $$objects; \
	objcopy --rename-section .rodata=codr_tables_$*,$(TABLES) $@

$(BUILD)/grammars/codr_grammars.h: $(BUILD)/grammars/codr_aliases.h FORCE
	@mkdir -p $(@D)
	@printf 'GRAMMAR(%s)\n' $(GRAMMARS) | cmp -s - $@ || \
	    printf 'GRAMMAR(%s)\n' $(GRAMMARS) >$@

# The other names of the languages that are shipped, for --lint.
$(BUILD)/grammars/codr_aliases.h: $(wildcard conf/languages.conf \
                                  conf/languages.d/*.conf)
	@mkdir -p $(@D)
	@awk '$$1 == "codr_language" { name = $$2 } \
	      $$1 == "alias" { gsub(";", ""); for (i = 2; i <= NF; i++) \
	          printf "ALIAS(\"%s\", \"%s\")\n", $$i, name }' $^ >$@

$(BUILD)/validators/%.o: validators/%.c $(BUILD)/config.mk \
                         $(BUILD)/grammars/codr_grammars.h \
                         $(BUILD)/grammars/codr_aliases.h $(PARSERS)/.stamp
	@mkdir -p $(@D)
	$(Q)$(VALIDATOR_COMPILE) -c -o $@ $<

$(VALIDATOR): $(VALIDATOR_OBJ) $(CORE_OBJ) $(GRAMMAR_OBJ) \
              $(BUILD)/libcodr.a
	$(Q)$(CC) $(CFLAGS) $(HELPER_LDFLAGS) $(HARDEN_LDFLAGS) \
	    $(SANITIZE_FLAGS) $(LDFLAGS) -o $@ $(VALIDATOR_OBJ) $(CORE_OBJ) \
	    $(GRAMMAR_OBJ) \
	    $(BUILD)/libcodr.a $(HELPER_EXTRA) $(VALIDATOR_LIBS)

$(BUILD)/policies/%.scm: validators/%.scm
	@mkdir -p $(@D)
	@cp -f $< $@


# The zygotes: a library in the language's own interpreter.  That for node needs
# nothing of node's to be built.  What it has of the helper is init and its
# mechanisms; nothing of it is sanitized, as it lives in somebody else's
# process.

ZYGOTE_SRC = init enter program waiting ahead box cgroup cgroup_file cgroup_v1 \
             cgroup_v2 cgroup_stale cred describe files io ipc landlock limits \
             log ns proto rlim seccomp_load terminal util
ZYGOTE_OBJ = $(ZYGOTE_SRC:%=$(BUILD)/zygotes/codr_%.o) \
             $(BUILD)/zygotes/codr_maps.o \
             $(BUILD)/zygotes/codr_zygote_block.o \
             $(BUILD)/zygotes/codr_zygote_serve.o
ZYGOTE_PYTHON = python_clone python_end python_gate python_heap python_hot \
                python_main python_modules python_text
ZYGOTE_NODE = node_end node_files node_gate node_hot node_pages node_park \
              node_search node_state node_test node_threads node_times \
              node_v8 node_warm
ZYGOTE_CC  = $(CC) $(WARN) $(CFLAGS) $(HARDEN_CFLAGS) -fPIC \
             -fvisibility=hidden -ffunction-sections -fdata-sections -MMD -MP \
             -Isandbox -Izygotes -Wa,-Izygotes

$(BUILD)/zygotes/codr_zygote_python.o: zygotes/codr_zygote_python.py
$(BUILD)/zygotes/codr_node_warm.o: zygotes/codr_node_warm.js
$(BUILD)/zygotes/codr_node_test.o: zygotes/codr_node_test.js

$(BUILD)/codr-zygote-python.so: $(ZYGOTE_PYTHON:%=$(BUILD)/zygotes/codr_%.o)
$(BUILD)/codr-zygote-node.so: $(ZYGOTE_NODE:%=$(BUILD)/zygotes/codr_%.o)

.PHONY: zygotes
zygotes: $(BUILD)/config.mk
	@$(if $(ZYGOTES),$(MAKE) --no-print-directory $(ZYGOTES),:)

$(BUILD)/zygotes/%.o: sandbox/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(ZYGOTE_CC) -c -o $@ $<

$(BUILD)/zygotes/%.o: zygotes/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(ZYGOTE_CC) $(if $(PYTHON_INCLUDE),-isystem $(PYTHON_INCLUDE)) \
	    -c -o $@ $<

# What it has not got of the interpreter's is found when it is loaded; what it
# has not got of ours would be missed by a clone.
$(BUILD)/codr-zygote-%.so: $(BUILD)/zygotes/codr_zygote_%.o $(ZYGOTE_OBJ)
	$(Q)$(CC) $(CFLAGS) -shared $(HARDEN_LDFLAGS) -Wl,--gc-sections \
	    $(LDFLAGS) -o $@ $^
	@if nm -D -u $@ | grep ' codr_' >&2; then rm -f $@; \
	    echo "$@: these are in none of its objects" >&2; exit 1; fi

-include $(wildcard $(BUILD)/zygotes/*.d)


# The module: nginx's own build, with nginx's own warnings.  configure runs
# again only when the list of sources, `config` or the settings change.  The
# one beside it is for tests (t/echo) and stays where it is built.

NGINX_BUILD = $(abspath $(BUILD))/nginx

# nginx's own Makefile.  CFLAGS of our command line would come before those it
# was configured with, and are among them.
NGINX_MAKE = $(MAKE) --no-print-directory -f '$(1)/Makefile' -C '$(2)' \
                 CFLAGS="$$(sed -n 's/^CFLAGS *= *//p' '$(1)/Makefile')"

MODULE_CFLAGS  = $(CFLAGS) -fPIC $(HARDEN_CFLAGS) $(SANITIZE_FLAGS) \
                 -DCODR_VERSION=\"$(VERSION)\" \
                 -DNGX_HTTP_CODR_HELPER_PATH=\"$(helperdir)/codr-sandboxd\"
MODULE_LDFLAGS = $(LDFLAGS) $(HARDEN_LDFLAGS) $(SANITIZE_FLAGS)

$(BUILD)/module.list: FORCE
	@mkdir -p $(@D)
	@echo '$(MODULE_SRC) $(ECHO_SRC)' | cmp -s - $@ || \
	    echo '$(MODULE_SRC) $(ECHO_SRC)' >$@

$(BUILD)/nginx/Makefile: config $(wildcard t/echo/config) \
                         $(BUILD)/module.list $(BUILD)/config.mk
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
	    $(if $(ECHO_SRC),--add-dynamic-module='$(CURDIR)/t/echo') \
	    --builddir='$(NGINX_BUILD)' >'$(NGINX_BUILD)/configure.log' || \
	{ tail -n 20 '$(NGINX_BUILD)/configure.log' >&2; exit 1; }
	@touch $@

$(BUILD)/nginx/Makefile: SHELL = /bin/bash

$(MODULE): $(MODULE_SRC) $(ECHO_SRC) $(BUILD)/nginx/Makefile
	+$(Q)$(call NGINX_MAKE,$(NGINX_BUILD),$(NGINX_SRC)) modules \
	    $(if $(V),,>/dev/null)
	@cp -f '$(NGINX_BUILD)/$(@F)' $@.new && mv -f $@.new $@


include playground/playground.mk


# Running and testing.

run: deps
	@$(MAKE) --no-print-directory serve

serve: all playground
	@BUILD='$(BUILD)' CODR_NGINX='$(NGINX)' PORT='$(PORT)' conf/run

TEST_ENV = CODR_BUILD='$(abspath $(BUILD))' CODR_NGINX='$(NGINX)' \
           CODR_PAGE='$(abspath $(PAGE))' CODR_PEERS='$(abspath $(PEERS))'

test: deps
	@$(MAKE) --no-print-directory check

test-all: deps
	@MAKE='$(MAKE)' BUILD='$(BUILD)' t/all

# Without the packages: what a developer repeats.  TESTS='t/module/*.t' selects.
check: all unit probes replays playground
	@$(TEST_ENV) CODR_LONG='$(CODR_LONG)' t/run $(TESTS)

include t/asan/asan.mk
include t/peers/peers.mk
include debian/deb.mk

unit: $(UNIT)
probes: $(PROBE)

$(BUILD)/libcodr.a: $(SANDBOX_OBJ)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/t/unit/%: t/unit/%.c $(BUILD)/libcodr.a
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(BUILD)/libcodr.a $(LIBS)

# Pieces of the validator, without the parsers, and of a zygote.
UNIT_CELL = $(addprefix $(BUILD)/validators/,codr_arena.o codr_budget.o \
                codr_cell.o codr_heap.o)
UNIT_HEAP = $(BUILD)/validators/codr_heap.o
UNIT_NAME = $(addprefix $(BUILD)/validators/,codr_budget.o codr_name.o)
UNIT_LISTING = $(UNIT_NAME) $(BUILD)/validators/codr_listing.o
UNIT_NODE = $(addprefix $(BUILD)/zygotes/,codr_maps.o \
                codr_node_search.o codr_node_times.o)
UNIT_LINES = $(addprefix $(BUILD)/validators/,codr_arena.o \
                 codr_comment_lines.o codr_source_text.o)

$(BUILD)/t/unit/test_cell: t/unit/test_cell.c $(UNIT_CELL) $(BUILD)/libcodr.a
	@mkdir -p $(@D)
	$(Q)$(VALIDATOR_COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(UNIT_CELL) \
	    $(BUILD)/libcodr.a $(LIBS)

$(BUILD)/t/unit/test_heap: t/unit/test_heap.c $(UNIT_HEAP)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(UNIT_HEAP)

$(BUILD)/t/unit/test_comment_lines: t/unit/test_comment_lines.c $(UNIT_LINES)
	@mkdir -p $(@D)
	$(Q)$(VALIDATOR_COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(UNIT_LINES)

$(BUILD)/t/unit/test_node_times: t/unit/test_node_times.c $(UNIT_NODE)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(UNIT_NODE)

$(BUILD)/t/unit/test_name: t/unit/test_name.c $(UNIT_NAME)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(UNIT_NAME)

$(BUILD)/t/unit/test_listing: t/unit/test_listing.c $(UNIT_LISTING)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< $(UNIT_LISTING)

# Probes run inside sandboxes and outside of them, as the control: static, so
# that they need nothing there.
$(BUILD)/t/sandbox/%: t/sandbox/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) $(CFLAGS) -static -o $@ $<

$(BUILD)/t/uml/%.so: t/uml/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) $(CFLAGS) -fPIC -shared -o $@ $<

include t/fuzz/fuzz.mk
include t/analyze/analyze.mk

# Ten thousand idle sockets, two hundred jobs a second, five minutes.
SOAK = $(BUILD)/t/soak/codr_soak

$(SOAK): t/soak/codr_soak.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) $(CFLAGS) -o $@ $<

probes: $(SOAK) $(BUILD)/t/uml/xstate.so

soak: all $(SOAK)
	@$(TEST_ENV) t/soak/run $(SOAK_SECONDS)

bench: all
	@$(TEST_ENV) t/bench/run
	@$(TEST_ENV) t/bench/cost


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
	@$(MAKE) --no-print-directory page-deps parsers peers

# Once a lock file; nothing of a package is run.
parsers:
	@cmp -s validators/package-lock.json $(NPM_DIR)/package-lock.json && \
	    [ -f $(PARSERS)/.stamp ] && exit 0; \
	mkdir -p $(NPM_DIR) && cp -f validators/package.json $(NPM_DIR)/ && \
	cp -f validators/package-lock.json $(NPM_DIR)/ && cd $(NPM_DIR) && \
	npm ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund \
	    --loglevel=error && touch node_modules/.stamp

install: all install-page
	$(INSTALL) -d '$(DESTDIR)$(modulesdir)' '$(DESTDIR)$(helperdir)' \
	    '$(DESTDIR)$(sysconfdir)/codr' '$(DESTDIR)$(sharedir)/snippets'
	$(INSTALL) -m 0644 $(MODULE) '$(DESTDIR)$(modulesdir)/'
	$(INSTALL) -m 0755 $(HELPER) $(SHORTCUT) $(VALIDATOR) \
	    '$(DESTDIR)$(helperdir)/'
	for file in $(POLICY_SRC:validators/%=%); do \
	    $(INSTALL) -D -m 0644 "validators/$$file" \
	        "$(DESTDIR)$(helperdir)/policies/$$file" || exit 1; done
	$(if $(ZYGOTES),$(INSTALL) -m 0644 $(ZYGOTES) '$(DESTDIR)$(helperdir)/')
	$(INSTALL) -d '$(DESTDIR)$(sbindir)' '$(DESTDIR)$(unitdir)'
	ln -sf '$(helperdir)/codr-sandboxd' '$(DESTDIR)$(sbindir)/'
	$(INSTALL) -m 0644 conf/languages.conf conf/sandboxd.conf \
	    '$(DESTDIR)$(sysconfdir)/codr/'
	$(INSTALL) -m 0644 conf/systemd/*.socket '$(DESTDIR)$(unitdir)/'
	sed -e 's|@HELPER@|$(helperdir)/codr-sandboxd|' \
	    -e 's|@CONF@|$(sysconfdir)/codr/sandboxd.conf|' \
	    conf/systemd/codr-sandbox.service.in \
	    >'$(DESTDIR)$(unitdir)/codr-sandbox.service'
	$(INSTALL) -m 0644 conf/snippets/*.conf \
	    '$(DESTDIR)$(sharedir)/snippets/'
	for page in docs/*.8; do [ -f "$$page" ] || continue; \
	    $(INSTALL) -D -m 0644 "$$page" \
	        "$(DESTDIR)$(mandir)/man8/$${page##*/}" || exit 1; done

clean:
	rm -rf '$(BUILD)'

FORCE:

.PHONY: all run serve test test-all check unit probes soak bench deps \
        parsers install clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:
