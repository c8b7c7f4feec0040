package Codr::Browser;

# Tests of the playground in a browser: nginx with the page, and a script of
# playground/test/browser/ that drives headless Chromium and prints TAP.

use strict;
use warnings;

use Codr::Host qw(build need slurp spew top);
use Codr::Nginx;
use Test::More;

my $CHROMIUM = '/usr/bin/chromium';
my $SECONDS  = 240;

# Where the page was built: `make asan` takes the plain build's.
sub page { return $ENV{CODR_PAGE} // build() . '/playground' }

# Skips the test unless all that it takes is there.
sub ready {
    need(qw(module helper /usr/bin/node), $CHROMIUM);
    plan(skip_all => 'the playground is not built (make deps)')
        unless -f page() . '/site/index.html';
}

# An nginx that serves the page; options as Codr::Nginx takes them, and pages:
# for each NAME => { META => VALUE } the page is at NAME.html, too, and its
# <meta name="codr-META"> says VALUE.
sub serve {
    my ($class, %o) = @_;
    my $dir = Codr::Nginx::dir();
    system('cp', '-R', page() . '/site', $dir) == 0 or die 'cp';
    system('chmod', '-R', 'a+rX', "$dir/site") == 0 or die 'chmod';
    my %pages = %{ delete $o{pages} // {} };
    for my $name (keys %pages) {
        my $page = slurp("$dir/site/index.html");
        my %says = %{ $pages{$name} };
        for my $meta (keys %says) {
            $page =~ s/(name="codr-$meta" content=)"[^"]*"/$1"$says{$meta}"/
                or die "no <meta> codr-$meta";
        }
        spew("$dir/site/$name.html", $page);
    }
    my $nginx = Codr::Nginx->new(location => 'codr_output 16m;', %o,
        dir => $dir, server => "root $dir/site; include "
            . top() . '/conf/snippets/codr-playground.conf; '
            . ($o{server} // ''));
    ok($nginx->ready, 'the server is ready');
    return $nginx;
}

# A key, its file, and locations: /ticketed runs what has a ticket, and a POST
# to /ticket gets one, as from a back end that has the key.
sub tickets {
    my ($key, $line) = `'@{[ build() ]}/codr-sandboxd' --new-key page`
        =~ /(\S+)\n.*(page [0-9a-f]{64})/s;
    my $keys = Codr::Nginx::dir() . '/keys';
    spew($keys, "$line\n");
    chmod 0600, $keys;
    return ($key, $keys, <<"SERVER");
location = /ticketed { codr_exec; codr_api_keys $keys; codr_auth ticket; }
location /jobs { codr_jobs; codr_api_keys $keys; codr_auth key; }
location = /ticket {
    proxy_pass http://127.0.0.1:\$server_port/jobs/create;
    proxy_set_header X-API-Key $key;
    proxy_set_header Origin "";
}
SERVER
}

# Runs a script against that nginx; each of its results is one of ours.
sub run {
    my ($class, $script, $nginx, %env) = @_;
    local %ENV = (%ENV, %env, CODR_CHROMIUM => $CHROMIUM,
        CODR_URL => "http://127.0.0.1:$nginx->{port}/",
        CODR_SHOTS => page() . '/../screenshots');
    my $path = page() . "/test/browser/$script";
    open my $out, '-|', 'timeout', '-k', 5, $SECONDS, '/usr/bin/node', $path
        or die "node: $!";
    my $results = 0;
    while (<$out>) {
        chomp;
        if (/^(not )?ok - (.*)/) {
            $results++;
            ok(!$1, $2);
        } elsif (/^skip - (.*?) # (.*)/) {
            SKIP: { skip "$1: $2", 1 }
        } else {
            diag($_);
        }
    }
    close $out;
    is($?, 0, "$script ran to its end");
    cmp_ok($results, '>', 0, 'and had something to say');
}

1;
