# make analyze: gcc's analyzer, clang-tidy (.clang-tidy) and cppcheck over all
# that is compiled into what is installed.  What may be said, and why, is in
# t/analyze/accepted.

ANALYZE_FLAGS = $(BUILD)/analyze.flags

define ANALYZE_LINES
sandbox/*.c -std=c11 -DCODR_VERSION='"x"'
validators/*.c -std=c11 -isystem $(TREE_SITTER)/include -Isandbox \
    -I$(BUILD)/grammars -DCODR_VERSION='"x"'
zygotes/*.c -std=c11 -Isandbox -Izygotes -isystem $(PYTHON_INCLUDE)
shortcut/*.c -std=c11
playground/cli/*.c -std=c11 -D_GNU_SOURCE -DCODR_VERSION='"x"'
module/*.c $(call NGINX_INCLUDES,$(NGINX_SRC)) -isystem $(NGINX_BUILD) \
    -DCODR_VERSION='"x"' -DNGX_HTTP_CODR_HELPER_PATH='"/x"'
endef

analyze test-all: DEPS_TEST += $(DEPS_LONG)

analyze: deps
	@$(MAKE) --no-print-directory analyze-all

analyze-all: all
	$(file >$(ANALYZE_FLAGS),$(ANALYZE_LINES))
	@t/analyze/run $(ANALYZE_FLAGS) $(TOOLS)

.PHONY: analyze analyze-all
