# Fuzz targets.  A directory of t/fuzz/ is what its targets are linked with:
#
#   helper/      sandbox/, and module/ where that needs nothing of nginx
#   nginx/       module/ and nginx's own objects
#   validators/  the validator, a target "check.NAME" for each grammar
#
#   make fuzz [T='NAME ...'] [FUZZ_SECONDS=N]    with clang's libFuzzer, ASan
#                                                and UBSan
#   make fuzz-keep T=NAME                        what covered most goes into
#                                                t/fuzz/corpus/NAME
#
# `make check` gives each target its corpus, built as codr is and, where it
# needs nginx, within that nginx.

FUZZ_SECONDS = 60
FUZZ_TIMEOUT = 25

FUZZ_HELPER = $(patsubst t/fuzz/helper/fuzz_%.c,%,\
                  $(wildcard t/fuzz/helper/fuzz_*.c))
FUZZ_NGINX  = $(patsubst t/fuzz/nginx/fuzz_%.c,%,\
                  $(wildcard t/fuzz/nginx/fuzz_*.c))
FUZZ_CHECK  = $(GRAMMARS:%=check.%)
FUZZ_ALL    = $(FUZZ_HELPER) $(FUZZ_NGINX) policy $(FUZZ_CHECK)
T           = $(FUZZ_ALL)

FUZZ_CORPUS = t/fuzz/corpus
FUZZ_BUILD  = $(BUILD)/fuzz
FUZZ_SEES   = -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_CC     = clang $(WARN) -Wno-unused-parameter -O1 -g \
              -fno-omit-frame-pointer -DCODR_VERSION='"fuzz"' \
              -MMD -MP
FUZZ_DEPS   = $(wildcard t/fuzz/*.h t/fuzz/*/*.h)

# What the targets of nginx/ have of the helper: its side of what they write.
FUZZ_PEER   = $(addprefix sandbox/codr_,config.c config_fields.c io.c \
                  language.c list.c request.c source.c util.c)
FUZZ_NGINX_LIBS = -lwslay -ljansson -lhiredis -lssl -lcrypto -lpcre2-8 -lz \
                  -lcrypt -ldl
FUZZ_MODULE = $(wildcard module/ngx_http_codr*.c) sandbox/codr_limits.c \
              sandbox/codr_place.c sandbox/codr_proto.c


# Instrumented objects, each from the source of the same path.

$(FUZZ_BUILD)/obj/sandbox/%.o: sandbox/%.c
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_SEES) -fsanitize=fuzzer-no-link -c -o $@ $<

$(FUZZ_BUILD)/obj/validators/%.o: validators/%.c \
                                  $(BUILD)/grammars/codr_grammars.h
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_SEES) -fsanitize=fuzzer-no-link \
	    -I$(TREE_SITTER)/include -Isandbox -I$(BUILD)/grammars -c -o $@ $<

$(FUZZ_BUILD)/obj/tree-sitter.o: $(CORE_PARTS) \
                                 $(PARSERS)/.stamp
	@mkdir -p $(@D)
	$(Q)clang -w -O1 -g $(FUZZ_SEES) -fsanitize=fuzzer-no-link \
	    -D_DEFAULT_SOURCE -I$(TREE_SITTER)/include -I$(TREE_SITTER)/src \
	    -c -o $@ $(CORE_SRC)

$(FUZZ_BUILD)/libcodr.a: $(SANDBOX_SRC:%.c=$(FUZZ_BUILD)/obj/%.o)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(FUZZ_BUILD)/libvalidator.a: $(patsubst %.c,$(FUZZ_BUILD)/obj/%.o,\
                                  $(filter-out %/codr_validator.c,\
                                      $(VALIDATOR_SRC))) \
                              $(FUZZ_BUILD)/obj/tree-sitter.o
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# nginx itself: its objects as a library.  Every ngx_palloc() is a malloc().

FUZZ_SERVER = $(abspath $(FUZZ_BUILD))/server
FUZZ_SERVER_CFLAGS = -O1 -g -fsanitize=fuzzer-no-link,address \
                     -fno-omit-frame-pointer -DNGX_DEBUG_PALLOC=1

$(FUZZ_SERVER)/Makefile: $(NGINX_TREE)/configure
	@mkdir -p $(@D)
	@echo '  CONF   $(@D)'
	@cd $(NGINX_TREE) && ./configure --with-cc=clang \
	    --with-cc-opt='$(FUZZ_SERVER_CFLAGS)' \
	    --with-ld-opt='-fsanitize=address' --with-http_ssl_module \
	    --with-http_v2_module --builddir='$(@D)' >'$(@D)/configure.log' || \
	{ tail -n 20 '$(@D)/configure.log' >&2; exit 1; }

$(FUZZ_SERVER)/nginx: $(FUZZ_SERVER)/Makefile
	+$(Q)$(call NGINX_MAKE,$(@D),$(NGINX_TREE)) binary \
	    $(if $(V),,>/dev/null)

$(FUZZ_BUILD)/libnginx.a: $(FUZZ_SERVER)/nginx
	@rm -f $@
	$(Q)objcopy --redefine-sym main=nginx_main \
	    $(FUZZ_SERVER)/src/core/nginx.o $(FUZZ_BUILD)/obj/nginx.o
	@$(AR) rcs $@ $(FUZZ_BUILD)/obj/nginx.o $$(find $(FUZZ_SERVER) \
	    -name '*.o' ! -path '*/src/core/nginx.o')

NGINX_INCLUDES = $(foreach dir,core event event/modules os/unix http \
                     http/modules http/v2,-isystem $(1)/src/$(dir))
# As in nginx itself, copying nothing from nowhere is nothing.
FUZZ_NGINX_CC = $(filter-out -Wextra -Wshadow -Wconversion,$(FUZZ_CC)) \
              $(FUZZ_SEES) -fno-sanitize=nonnull-attribute \
              $(call NGINX_INCLUDES,$(NGINX_TREE)) \
              -isystem $(FUZZ_SERVER) \
              -DNGX_HTTP_CODR_HELPER_PATH='"/nowhere"'

$(FUZZ_BUILD)/obj/module/%.o: module/%.c $(FUZZ_SERVER)/nginx
	@mkdir -p $(@D)
	$(Q)$(FUZZ_NGINX_CC) -fsanitize=fuzzer-no-link -c -o $@ $<

$(FUZZ_BUILD)/libmodule.a: $(FUZZ_MODULE:%.c=$(FUZZ_BUILD)/obj/%.o)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

-include $(wildcard $(FUZZ_BUILD)/obj/*/*.d)


# The fuzzers.  A target may stand in for a function of what it is linked
# with: the first definition counts.

$(FUZZ_BUILD)/%: t/fuzz/helper/fuzz_%.c $(FUZZ_DEPS) $(FUZZ_BUILD)/libcodr.a
	$(Q)$(FUZZ_CC) $(FUZZ_SEES) -fsanitize=fuzzer -MF $@.d -o $@ $< \
	    $(FUZZ_BUILD)/libcodr.a $(LIBS)

$(FUZZ_BUILD)/%: t/fuzz/nginx/fuzz_%.c $(FUZZ_DEPS) t/fuzz/nginx/host.c \
                 $(FUZZ_BUILD)/libmodule.a $(FUZZ_BUILD)/libcodr.a \
                 $(FUZZ_BUILD)/libnginx.a
	$(Q)$(FUZZ_NGINX_CC) -fsanitize=fuzzer -MF $@.d -o $@ $< \
	    t/fuzz/nginx/host.c -Wl,--allow-multiple-definition \
	    $(FUZZ_BUILD)/libmodule.a $(FUZZ_BUILD)/libcodr.a \
	    $(FUZZ_BUILD)/libnginx.a $(FUZZ_NGINX_LIBS) -lmd

$(FUZZ_BUILD)/policy $(FUZZ_BUILD)/check: \
$(FUZZ_BUILD)/%: t/fuzz/validators/fuzz_%.c $(FUZZ_DEPS) \
                 $(FUZZ_BUILD)/libvalidator.a $(FUZZ_BUILD)/libcodr.a \
                 $(GRAMMAR_OBJ)
	$(Q)$(FUZZ_CC) $(FUZZ_SEES) -fsanitize=fuzzer -MF $@.d \
	    -I$(TREE_SITTER)/include -Isandbox -o $@ $< \
	    $(FUZZ_BUILD)/libvalidator.a $(FUZZ_BUILD)/libcodr.a \
	    $(GRAMMAR_OBJ) -lpcre2-8 $(LIBS)

$(FUZZ_CHECK:%=$(FUZZ_BUILD)/%): $(FUZZ_BUILD)/check $(POLICIES)
	@printf '#!/bin/sh\n%s %s exec %s "$$@"\n' \
	    CODR_LANGUAGE=$(@:$(FUZZ_BUILD)/check.%=%) \
	    CODR_POLICIES=$(abspath $(BUILD)/policies) \
	    $(abspath $(FUZZ_BUILD)/check) >$@ && chmod +x $@

fuzz fuzz-keep: DEPS_TEST += $(DEPS_LONG)

fuzz: deps
	@$(MAKE) --no-print-directory fuzz-run T='$(T)'

fuzz-ready: $(T:%=$(FUZZ_BUILD)/%)

fuzz-run: fuzz-ready
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' FUZZ_TIMEOUT='$(FUZZ_TIMEOUT)' \
	    t/fuzz/run $(FUZZ_BUILD) $(FUZZ_CORPUS) $(T)

fuzz-keep: fuzz-ready
	@t/fuzz/keep $(FUZZ_BUILD) $(FUZZ_CORPUS) $(T)


# Replays.

REPLAY      = $(BUILD)/t/fuzz
REPLAYS     = $(FUZZ_HELPER:%=$(REPLAY)/%) $(REPLAY)/policy $(REPLAY)/check \
              $(if $(SANITIZE),,$(FUZZ_NGINX:%=$(REPLAY)/%.so))
REPLAY_MAIN = t/fuzz/replay.c t/fuzz/replay_main.c
REPLAY_CC   = $(CC) $(filter-out -Wconversion -Wextra -Wshadow,$(WARN)) \
              $(CFLAGS) -MMD -MP

replays: $(REPLAYS)

$(REPLAY)/%: t/fuzz/helper/fuzz_%.c $(REPLAY_MAIN) $(FUZZ_DEPS) \
             $(BUILD)/libcodr.a
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< \
	    $(REPLAY_MAIN) $(BUILD)/libcodr.a $(LIBS)

$(REPLAY)/policy $(REPLAY)/check: \
$(REPLAY)/%: t/fuzz/validators/fuzz_%.c $(REPLAY_MAIN) $(FUZZ_DEPS) \
             $(VALIDATOR_OBJ) $(CORE_OBJ) $(GRAMMAR_OBJ) $(BUILD)/libcodr.a
	@mkdir -p $(@D)
	$(Q)$(VALIDATOR_COMPILE) -MF $@.d $(LDFLAGS) -o $@ $< \
	    $(REPLAY_MAIN) $(filter-out %/codr_validator.o,$(VALIDATOR_OBJ)) \
	    $(CORE_OBJ) $(GRAMMAR_OBJ) $(BUILD)/libcodr.a $(VALIDATOR_LIBS)

# A module of nginx, of the objects that codr's own module is made of.
$(REPLAY)/libmodule.a: $(MODULE)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(FUZZ_MODULE:%.c=$(NGINX_BUILD)/addon/%.o)

REPLAY_NGINX = t/fuzz/nginx/host.c t/fuzz/nginx/replay_module.c \
               t/fuzz/replay.c

$(REPLAY)/%.so: t/fuzz/nginx/fuzz_%.c $(REPLAY_NGINX) $(FUZZ_DEPS) \
                $(REPLAY)/libmodule.a $(FUZZ_PEER)
	@mkdir -p $(@D)
	$(Q)$(REPLAY_CC) -fPIC -shared -Wl,-Bsymbolic -MF $@.d \
	    $(call NGINX_INCLUDES,$(NGINX_SRC)) -isystem $(NGINX_BUILD) \
	    -o $@ $< $(REPLAY_NGINX) $(FUZZ_PEER) \
	    -Wl,--allow-multiple-definition $(REPLAY)/libmodule.a \
	    -Wl,--as-needed -lwslay -ljansson -lhiredis -lcrypto -lz

-include $(wildcard $(REPLAY)/*.d)

.PHONY: fuzz fuzz-ready fuzz-run fuzz-keep replays
