# Clients that others wrote: Debian's python3-websockets and npm's ws, against
# a location that echoes and one that runs programs, plain and compressed.

use strict;
use warnings;

use Codr::Host qw(build need top);
use Codr::Nginx;
use Test::More;

need(qw(module helper /usr/bin/python3));

my $nginx = Codr::Nginx->new(echo => 1, http => 'codr_deflate on;',
    server => 'location = /echo { codr_exec; codr_echo; codr_files 16m; }');
$nginx->ready;

# Lines of a client are its cases.
sub peer {
    my ($name, @command) = @_;
    subtest $name => sub {
        open my $out, '-|', 'timeout', 200, @command or die "$command[0]: $!";
        my $cases = 0;
        while (my $line = <$out>) {
            chomp $line;
            my ($not, $case) = $line =~ /^(not )?ok (.*)/ or next;
            ok(!$not, $case);
            $cases++;
        }
        ok(close $out, 'comes to its end');
        cmp_ok($cases, '>', 5, 'and has tried something');
    };
}

my $port = $nginx->port;

SKIP: {
    system('/usr/bin/python3 -c "import websockets" 2>/dev/null') == 0
        or skip 'needs python3-websockets', 1;
    peer('websockets', '/usr/bin/python3', top() . '/t/peers/peer.py', $port);
}

SKIP: {
    my $dir = $ENV{CODR_PEERS} // build() . "/peers";
    my ($node) = grep { -x } map {"$_/node"} split /:/, $ENV{PATH};
    skip 'needs node', 1 unless $node;
    skip 'needs the packages of t/peers (make deps)', 1
        unless -d "$dir/node_modules/ws";
    peer('ws', $node, top() . '/t/peers/peer.mjs', $port, $dir);
}

$nginx->finish;
done_testing();
