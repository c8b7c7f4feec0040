# The end of a connection is no loss: who has yet to read what was said gets
# it, though more was sent behind a Close, or behind a request that was
# answered early.  A connection closed with bytes unread is reset, and what the
# peer has not read by then is gone (RFC 9293, 3.6.1; RFC 6455, 7.1.1).

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need spew wait_until);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use IPC::Open2 qw(open2);
use Socket qw(SOL_SOCKET);
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper openssl /usr/bin/python3));

my $dir = Codr::Nginx::dir();
my $tls = Codr::Nginx::free_port();
system('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    . " -days 2 -batch -subj /CN=localhost -keyout $dir/key.pem"
    . " -out $dir/cert.pem 2>/dev/null") == 0
    or plan(skip_all => 'openssl made no certificate');
spew("$dir/keys", 'alice ' . sha256_hex('secret') . "\n");
chmod 0640, "$dir/keys";

my $nginx = Codr::Nginx->new(dir => $dir, echo => 1,
    http => "codr_api_keys $dir/keys;", server => <<"CONF");
    listen 127.0.0.1:$tls ssl;
    ssl_certificate $dir/cert.pem;
    ssl_certificate_key $dir/key.pem;
    lingering_timeout 2s;
    client_max_body_size 32m;
    location = /echo { codr_exec; codr_echo; }
    location = /off { codr_exec; codr_echo; lingering_close off; }
    location = /patient {
        codr_exec;
        codr_echo;
        lingering_timeout 600s;
        lingering_time 600s;
    }
    location = /small { codr_exec; client_max_body_size 1k; }
    location = /keyed { codr_exec; codr_auth key; }
    location = /jobs { codr_jobs; codr_auth key; }
    location = /metrics { codr_status; }
CONF

my $ROOM = 4096;            # bytes the kernel takes for a client, or so
my $SIZE = 40_000;          # more than that, and less than it takes for nginx
my $SAID = 'x' x $SIZE;
my $MORE = "\0" x 400_000;

sub frame { return Codr::Client->frame(@_) }

sub metric {
    my ($name) = @_;
    my ($value) = $nginx->get('/metrics')->{body} =~ /^\Q$name\E (\d+)$/m;
    return $value // -1;
}

# Whether no socket is served: those that are over may still be read.
sub over { return wait_until(10, sub { metric('codr_sockets') == 0 }) }

# All that comes, and whether it came to an end: a reset is none.
sub rest {
    my ($client) = @_;
    my ($got, $end) = (1, time + 10);
    while ($got) {
        local $! = 0;
        $got = $client->fill($end - time);
        return (length $client->{buf}, !$!) if defined $got && !$got;
    }
    return (length $client->{buf}, 0);
}

my $ALL = $SIZE + 4 + 4;    # with headers and a code
my $CLOSE = frame(pack('n', 1000), op => 8);

# A peer that reads when its socket is over, and has sent much more: how much
# of that was taken, what it got, and whether that ended well.
sub late {
    my ($path, $bytes) = @_;
    my $ws = $nginx->ws(path => $path, room => $ROOM);
    $ws->write(frame($SAID) . $bytes);
    return ('is not over') if $ws->{status} != 101 || !over();
    return ($ws->write($MORE), rest($ws));
}

for (
    [ 'a Close', $CLOSE ], [ 'a Close and more', $CLOSE . frame('x') ],
    [ 'what is no frame', "\xff" x 20 ],
) {
    my ($name, $bytes) = @{$_};
    is(join(' ', late('/echo', $bytes)), length($MORE) . " $ALL 1",
        "$name: who reads late gets all of it");
}
cmp_ok((late('/off', $CLOSE))[1], '<', $ALL,
    'but not with lingering_close off');

# The same of a peer that nothing reaches until its socket is over: all that is
# said to it is lost on the way, and has to be sent again.
sub deaf {
    my ($bytes, $more) = @_;
    my $ws = $nginx->ws(path => '/patient');
    my $nothing = pack 'SCCL', 0x06, 0, 0, 0;               # BPF_RET, 0
    setsockopt $ws->{s}, SOL_SOCKET, 26, pack('Sx![P]P', 1, $nothing)
        or return ("no SO_ATTACH_FILTER: $!");
    $ws->write(frame('x') . $bytes);
    return ('is not over') if !over();
    setsockopt $ws->{s}, SOL_SOCKET, 27, pack 'i', 0;       # SO_DETACH_FILTER
    return ($ws->write($more), rest($ws));
}

for (
    [ 'a Close', $CLOSE, '' ], [ 'a Close, and more later', $CLOSE, $MORE ],
    [ 'what is no frame', "\xff" x 20, $MORE ],
) {
    my ($name, $bytes, $more) = @{$_};
    is(join(' ', deaf($bytes, $more)), length($more) . ' 7 1',
        "$name: what is lost on the way comes again");
}

subtest 'a Close over TLS' => sub {
    my $code = <<'PYTHON';
import socket, ssl, sys
raw = socket.socket()
raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(sys.argv[2]))
raw.connect(('127.0.0.1', int(sys.argv[1])))
s = ssl._create_unverified_context().wrap_socket(raw)
s.sendall(b'GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n'
          b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
          b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
got = b''
while b'\r\n\r\n' not in got:
    got += s.recv(1)
s.sendall(bytes.fromhex(input()))
print(got[9:12].decode(), flush=True)
input()
s.sendall(bytes(400000))
got = 0
while data := s.recv(65536):
    got += len(data)
print(got)
PYTHON
    my $pid = open2(my $out, my $in, '/usr/bin/python3', '-c', $code, $tls,
        $ROOM);
    print {$in} unpack('H*', frame($SAID) . $CLOSE), "\n";
    is(<$out>, "101\n", 'a socket');
    ok(over(), 'is over');
    print {$in} "\n";
    is(<$out>, "$ALL\n", 'who reads late gets all of it');
    waitpid $pid, 0;
    is($?, 0, 'and no reset');
};

# Requests that are answered before their body is read.

ok($nginx->ready, 'the helper is up');

sub answered {
    my ($path, $type, $before, $after, @lines) = @_;
    my $client = Codr::Client->connect(port => $nginx->port, room => $ROOM);
    $client->write(join "\r\n", "POST $path HTTP/1.1", 'Host: localhost',
        "Content-Type: $type", @lines, '', $before);
    my $head = $client->_head // {};
    my $more = $client->write($after);
    my ($got, $ended) = rest($client);
    return join ' ', $head->{status} // 'nothing', $more == length $after
        && $ended ? 'whole' : "$more of " . length($after) . ' taken';
}

my $json = 'application/json';
my $big = 'Content-Length: ' . (8 << 20);
my $body = '{' . ' ' x ((8 << 20) - 1);
for (
    [ 401, 'without a key', '/keyed', $json, $big ],
    [ 401, 'without a key, for a record', '/jobs', $json, $big ],
    [ 413, 'that is too large', '/small', $json, $big ],
    [ 413, 'that waits for a word', '/small', $json, $big,
        'Expect: 100-continue' ],
    [ 415, 'of another kind', '/run', 'text/plain', $big ],
    [ 403, 'from elsewhere', '/run', $json, $big, 'Origin: http://other' ],
    [ 400, 'that is no JSON', '/run', $json, 'Content-Length: 1' ],
) {
    my ($status, $name, $path, $type, @lines) = @{$_};
    is(answered($path, $type, '{', substr($body, 1), @lines,
        'Connection: close'), "$status whole", "a body $name");
}

# Answers of jobs, with more behind the request than was announced.

my $ENDED = 'codr_jobs_total{language="python",status="ok"}';
my $done = 0;
for my $accept ('text/event-stream', $json) {
    my $job = Codr::Client::encode({ language => 'python',
        code => "print('y' * $SIZE)" });
    my $client = Codr::Client->connect(port => $nginx->port, room => $ROOM);
    $client->write(join "\r\n", "POST /run HTTP/1.1", 'Host: localhost',
        "Content-Type: $json", "Accept: $accept", 'Connection: close',
        'Content-Length: ' . length $job, '', $job);
    ok(wait_until(20, sub { metric($ENDED) == $done + 1 }), 'a job');
    $done++;
    is($client->write($MORE), length $MORE, 'what comes behind is taken');
    my ($got, $ended) = rest($client);
    cmp_ok($got, '>', $SIZE, "all of $accept comes to who reads late");
    ok($ended, 'and its end');
}

$nginx->finish;
done_testing();
