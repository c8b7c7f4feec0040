# make asan: everything with ASan and UBSan, the whole suite against it.
# nginx itself is built from Debian's source with the module in it and a
# malloc() for every ngx_palloc(), so that an overrun of one object is seen, and
# a test can let any of them fail (failing.c).
# It takes an hour and a half; TESTS='t/module/*.t' does a part of it,
# asan-build none.

ASAN = $(MAKE) --no-print-directory BUILD='$(BUILD)/asan' \
           PAGE='$(abspath $(PAGE))' \
           SANITIZE=address$(comma)undefined CFLAGS='-O1 -g'

asan: deps
	+@$(ASAN) asan-check

asan-build: deps
	@$(MAKE) --no-print-directory asan-ready

asan-ready:
	+@$(ASAN) asan-all

# Two tests of the long suite; what they say goes to the results of all.
ASAN_LONG = t/long/walk.t t/long/memory.t

asan-walk:
	+@$(ASAN) asan-check TESTS='$(ASAN_LONG)'; status=$$?; \
	sed 's#\tt/long/#\tasan/#' $(BUILD)/asan/results \
	    >>$(or $(CODR_RESULTS),/dev/null); exit $$status

ASAN_SERVER = $(abspath $(BUILD))/server

asan-all: $(HELPER) $(SHORTCUT) $(VALIDATOR) $(POLICIES) $(CLI) zygotes \
          $(ASAN_SERVER)/nginx unit probes replays playground

asan-check: asan-all
	@$(TEST_ENV) CODR_NGINX='$(ASAN_SERVER)/nginx' CODR_SANITIZER=1 \
	    CODR_SLOW='$(or $(CODR_SLOW),10)' t/run $(TESTS)

# Fetched once, for the fuzzers too.
NGINX_TREE = build/nginx-src

$(NGINX_TREE)/configure: t/asan/fetch-nginx
	t/asan/fetch-nginx $(@D)

# As in nginx itself, copying nothing from nowhere is nothing.
ASAN_CFLAGS = $(CFLAGS) $(SANITIZE_FLAGS) -DNGX_DEBUG_PALLOC=1 \
              -fno-sanitize=nonnull-attribute \
              -DCODR_VERSION=\"$(VERSION)\" \
              -DNGX_HTTP_CODR_HELPER_PATH=\"$(helperdir)/codr-sandboxd\"

# What Debian's binary has and the tests use.
ASAN_NGINX_FLAGS = --with-debug --with-http_ssl_module --with-http_v2_module \
                   --with-http_realip_module --with-http_auth_request_module \
                   --with-http_gzip_static_module

ASAN_LDFLAGS = $(ASAN_SERVER)/failing.o $(filter -Wl%,$(FAILING))

$(ASAN_SERVER)/failing.o: t/asan/failing.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(CC) $(WARN) $(CFLAGS) $(SANITIZE_FLAGS) -c -o $@ $<

$(ASAN_SERVER)/Makefile: config $(BUILD)/module.list $(BUILD)/config.mk \
                         $(NGINX_TREE)/configure $(ASAN_SERVER)/failing.o
	@mkdir -p $(@D)
	@echo '  CONF   $(@D)'
	@cd $(NGINX_TREE) && ./configure --with-cc='$(CC)' \
	    --with-cc-opt='$(strip $(ASAN_CFLAGS))' \
	    --with-ld-opt='$(strip $(SANITIZE_FLAGS) $(ASAN_LDFLAGS))' \
	    $(ASAN_NGINX_FLAGS) \
	    --add-module='$(CURDIR)' --add-module='$(CURDIR)/t/echo' \
	    --builddir='$(@D)' \
	    >'$(@D)/configure.log' || \
	{ tail -n 20 '$(@D)/configure.log' >&2; exit 1; }
	@touch $@

$(ASAN_SERVER)/nginx: $(MODULE_SRC) $(ECHO_SRC) $(ASAN_SERVER)/Makefile
	+$(Q)$(call NGINX_MAKE,$(@D),$(NGINX_TREE)) binary \
	    $(if $(V),,>/dev/null)
	@nm $@ | grep -q __asan_report || \
	    { echo '$@ was built without its sanitizers' >&2; exit 1; }

.PHONY: asan asan-build asan-ready asan-walk asan-all asan-check
