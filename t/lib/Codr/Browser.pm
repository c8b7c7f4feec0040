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

# An nginx that serves the page; options as Codr::Nginx takes them, and pages,
# a list of locations: for each NAME the page is at NAME.html, too, and runs
# programs there.
sub serve {
    my ($class, %o) = @_;
    my $dir = Codr::Nginx::dir();
    system('cp', '-R', page() . '/site', $dir) == 0 or die 'cp';
    system('chmod', '-R', 'a+rX', "$dir/site") == 0 or die 'chmod';
    for my $name (@{ delete $o{pages} // [] }) {
        my $page = slurp("$dir/site/index.html")
            =~ s/content="run"/content="$name"/r;
        spew("$dir/site/$name.html", $page);
    }
    my $nginx = Codr::Nginx->new(location => 'codr_output 16m;', %o,
        dir => $dir, server => "root $dir/site; include "
            . top() . '/conf/snippets/codr-playground.conf; '
            . ($o{server} // ''));
    ok($nginx->ready, 'the server is ready');
    return $nginx;
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
