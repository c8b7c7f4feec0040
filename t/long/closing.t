# The end of a WebSocket whose peer takes its time: what was said is sent for
# as long as it is read, what waits for a peer has an end, and connections that
# are only read any more are in nobody's way.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need wait_until);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(sleep time);

need('module');

my $LINGER = 3;             # seconds
my $CONNECTIONS = 64;

my $nginx = Codr::Nginx->new(echo => 1, connections => $CONNECTIONS,
    server => <<"CONF");
    lingering_timeout ${LINGER}s;
    codr_idle_timeout 300ms;
    codr_files 16m;
    location = /echo { codr_exec; codr_echo; }
    location = /short { codr_exec; codr_echo; lingering_time 1s; }
    location = /metrics { codr_status; }
CONF

my $ROOM = 4096;            # bytes the kernel takes for a client, or so
my $SIZE = 12 << 20;        # more than it takes for nginx
my $ALL  = $SIZE + 10 + 4 + length 'idle';

sub over {
    return wait_until(10, sub {
        $nginx->get('/metrics')->{body} =~ /^codr_sockets 0$/m;
    });
}

# A socket that was sent much, and nothing since: our Close is behind that.
sub late {
    my ($path) = @_;
    my $ws = $nginx->ws(path => $path, room => $ROOM);
    is($ws->{status}, 101, 'a socket');
    my $frame = $ws->frame('x' x $SIZE);
    is($ws->write($frame, 30), length $frame, 'is sent much');
    return $ws;
}

subtest 'who reads late' => sub {
    my $ws = late('/echo');
    sleep 4;                # a Close would be given up by now
    1 while $ws->fill(20);
    is(length $ws->{buf}, $ALL, 'gets all of it, and the Close');
    $ws->drop;
};

subtest 'who reads nothing' => sub {
    my $ws = late('/short');
    ok(over(), 'is not waited for after lingering_time');
    1 while $ws->fill(20);
    cmp_ok(length $ws->{buf}, '<', $ALL, 'and does not get all of it');
    $ws->drop;
};

subtest 'who does not answer a Close' => sub {
    my $ws = $nginx->ws(path => '/echo', room => $ROOM);
    my $said = 'x' x 40_000;
    $ws->send_frame($said);
    ok(over(), 'is not waited for');
    my $more = "\0" x 400_000;
    is($ws->write($more), length $more, 'but still read');
    1 while $ws->fill(20);
    is(length $ws->{buf}, length($said) + 4 + 4 + length 'idle',
        'and gets all of it');
    $ws->drop;
};

subtest 'who stays when it is over' => sub {
    my @stay;
    for (1 .. 2 * $CONNECTIONS) {
        my $ws = $nginx->ws(path => '/echo');
        $ws->send_close(1000);
        push @stay, $ws if $ws->{status} == 101 && $ws->recv_frame;
    }
    is(@stay, 2 * $CONNECTIONS, 'keeps nobody out');
    my $start = time;
    ok($nginx->reload, 'a reload');
    ok(wait_until(10, sub { $nginx->workers == 1 }), 'the old worker leaves');
    cmp_ok(time - $start, '<', 10, 'before long');
    my $ws = $nginx->ws(path => '/echo');
    $ws->send_close(1000);
    ok($ws->recv_frame, 'one that stays when nginx stops');
    $nginx->finish(expected => qr/worker_connections are not enough/);
};

done_testing();
