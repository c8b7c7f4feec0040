# make deb: Debian packages in build/deb, by dpkg-buildpackage, from a copy of
# the tree, so that nothing is written beside the sources.  npm's packages are
# the ones `make deps` fetched, as hard links.

DEB_DIR  = $(abspath $(BUILD))/deb
DEB_TREE = $(DEB_DIR)/codr-$(VERSION)

deb:
	@$(MAKE) --no-print-directory deps \
	    DEPS_BUILD='$(DEPS_BUILD) $(DEPS_DEB)'
	@$(MAKE) --no-print-directory deb-only

# Without looking for what it needs.
deb-only: $(BUILD)/config.mk
	@rm -rf '$(DEB_DIR)' && mkdir -p '$(DEB_TREE)/build/playground'
	@tar --exclude=./.git --exclude=./build -cf - . | \
	    tar -C '$(DEB_TREE)' -xf -
	@cp -al $(NPM_DIR) '$(DEB_TREE)/build/npm'
	@cp -al $(PAGE)/node_modules '$(DEB_TREE)/build/playground/'
	@cd '$(DEB_TREE)' && unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL && \
	    { dpkg-buildpackage -b -us -uc >'$(DEB_DIR)/build.log' 2>&1 || \
	    { tail -n 30 '$(DEB_DIR)/build.log' >&2; exit 1; }; }
	@rm -rf '$(DEB_TREE)'
	@ls '$(DEB_DIR)'/*.deb

.PHONY: deb deb-only
