# The playground: the page, by Vite from the npm packages of the lock file.
# Part of the Makefile, which includes it.
#
# npm and Vite work in PAGE, on copies of the sources, so that nothing is
# written beside them.  Without the packages (make deps) everything else is
# built, and `make run` serves no page.

PAGE      = $(BUILD)/playground
PAGE_SRC  = $(shell find playground -type f)
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

install-page:
	@[ ! -f $(PAGE_SITE) ] || { \
	    $(INSTALL) -d '$(DESTDIR)$(sharedir)/playground/assets' && \
	    $(INSTALL) -m 0644 $(PAGE)/site/*.* \
	        '$(DESTDIR)$(sharedir)/playground/' && \
	    $(INSTALL) -m 0644 $(PAGE)/site/assets/* \
	        '$(DESTDIR)$(sharedir)/playground/assets/'; }

.PHONY: playground page-missing page-deps install-page
