# WebSocket peers of others: clients for t/module/conformance_peers.t, and
# `make echo`, a server for suites such as Autobahn's (PORT as in `make run`).

PEERS = build/peers

DEPS_TEST += python3-websockets

# Of the network, this alone; without it a test is skipped.
peers:
	@cmp -s t/peers/package-lock.json $(PEERS)/.installed || { \
	    mkdir -p $(PEERS) && cp t/peers/package*.json $(PEERS)/ && \
	    cd $(PEERS) && npm ci --ignore-scripts --no-audit --no-fund \
	        --loglevel=error && cp package-lock.json .installed; } || \
	    echo 'make deps: npm gave no ws; a test will be skipped' >&2

echo: all
	@BUILD='$(BUILD)' CODR_NGINX='$(NGINX)' PORT='$(PORT)' t/echo/run

.PHONY: peers echo
