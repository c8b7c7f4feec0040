# The playground: the page, by Vite from the npm packages of the lock file, and
# the command line client.  Part of the Makefile, which includes it.
#
# npm and Vite work in PAGE, on copies of the sources, so that nothing is
# written beside them.  Without the packages (make deps) everything else is
# built, and `make run` serves no page.

PAGE      = $(BUILD)/playground
PAGE_SRC  = $(shell find playground -path playground/cli -prune \
                -o -type f -print)
PAGE_LOCK = $(PAGE)/node_modules/.installed
PAGE_SITE = $(PAGE)/site/index.html

playground: $(if $(wildcard $(PAGE_LOCK)),$(PAGE_SITE),page-missing)

page-missing:
	@echo 'the playground is not built: its npm packages are missing' \
	    '(make deps)' >&2

# Only files of these kinds; a browser that takes no gzip gets the original.
PAGE_PACKED = -name '*.html' -o -name '*.css' -o -name '*.js' -o -name '*.svg'

$(PAGE_SITE): $(PAGE_SRC) $(PAGE_LOCK)
	$(Q)rm -rf $(PAGE)/src $(PAGE)/public $(PAGE)/test && \
	    cp -R playground/* $(PAGE)/ && cd $(PAGE) && \
	    node_modules/.bin/tsc -p . && \
	    node_modules/.bin/vite build --logLevel warn && \
	    node_modules/.bin/vite build --logLevel warn \
	        -c vite.embed.config.ts && \
	    find site -type f \( $(PAGE_PACKED) \) -exec gzip -9kn {} + && \
	    touch site/index.html

# Of the network, this alone; quick when the lock file has not changed.
page-deps:
	@cmp -s playground/package-lock.json $(PAGE_LOCK) || { \
	    mkdir -p $(PAGE) && cp playground/package*.json $(PAGE)/ && \
	    echo '  NPM    $(PAGE)' && cd $(PAGE) && \
	    npm ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund \
	        --loglevel error && \
	    cp package-lock.json node_modules/.installed; } || \
	    echo 'make deps: npm gave no packages; there will be no page' >&2

# The client is part of `make`: it needs nothing that the module does not.

CLI     = $(BUILD)/codr
CLI_SRC = $(wildcard playground/cli/*.c)
CLI_OBJ = $(CLI_SRC:playground/cli/%.c=$(BUILD)/cli/%.o)

-include $(CLI_OBJ:.o=.d)

$(BUILD)/cli/%.o: playground/cli/%.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -D_GNU_SOURCE -c -o $@ $<

all: $(CLI)

$(CLI): $(CLI_OBJ)
	$(Q)$(LINK) -o $@ $(CLI_OBJ) $(HELPER_EXTRA) -lwslay -ljansson -lssl -lcrypto

install-page: $(CLI)
	$(INSTALL) -D -m 0755 $(CLI) '$(DESTDIR)$(bindir)/codr'
	$(INSTALL) -D -m 0644 docs/codr.1 '$(DESTDIR)$(mandir)/man1/codr.1'
	@[ ! -f $(PAGE_SITE) ] || { \
	    $(INSTALL) -d '$(DESTDIR)$(sharedir)/playground/assets' && \
	    $(INSTALL) -m 0644 $(PAGE)/site/*.* \
	        '$(DESTDIR)$(sharedir)/playground/' && \
	    $(INSTALL) -m 0644 $(PAGE)/site/assets/* \
	        '$(DESTDIR)$(sharedir)/playground/assets/'; }

.PHONY: playground page-missing page-deps install-page
