# RFC 6455 as it is on the wire: handshakes, frames, every close code, written
# as bytes.  No program is run here.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slow);
use Codr::Nginx;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(sleep time);

need('module');

my $nginx = Codr::Nginx->new(server => <<'CONF');
    location = /late { codr_exec; codr_first_message_timeout 300ms; }
    location = /idle { codr_exec; codr_idle_timeout 300ms; }
    location = /ping { codr_exec; codr_ping 200ms; }
    location = /small { codr_exec; codr_code_size 1k; codr_files 1k;
                        codr_input 1k; }
    location = /slow { codr_exec; limit_rate 10; }
CONF

my $PING = '{"type":"ping","n":1}';
my $PONG = '{"type":"pong","n":1}';

sub frame { return Codr::Client->frame(@_) }

# What a socket answers to bytes: the texts of its frames, then how it ended.
sub answers {
    my ($bytes, %o) = @_;
    my $ws = $nginx->ws(%o);
    return "status $ws->{status}" if $ws->{status} != 101;
    $ws->write($bytes);
    my @got;
    while (my $frame = $ws->recv_frame($o{wait} // 3)) {
        my ($op, $data) = @{$frame}{qw(op data)};
        push @got, $op == 1 ? $data : $op == 10 ? "(pong $data)"
            : $op == 9 ? "(ping $data)"
            : $op == 8 ? '(close' . (length $data < 2 ? ')'
                : ' ' . unpack('n', $data) . ')') : "(op $op)";
        return join ' ', @got if $op == 8 && !$o{eof};
    }
    return join ' ', @got, $ws->{eof} ? '(eof)' : '(timeout)';
}

sub closes {
    my ($bytes, $code, $name, %o) = @_;
    is(answers($bytes, %o), $code ? "(close $code)" : '(close)', $name);
}

my $DONE = frame(pack('n', 1000), op => 8);

# The opening handshake.

my $key = encode_base64('0123456789abcdef', '');
my $ws = $nginx->ws(key => 'dGhlIHNhbXBsZSBub25jZQ==');
is($ws->{status}, 101, 'a handshake is accepted');
is($ws->{headers}{'sec-websocket-accept'}, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'and the key of the RFC gets the answer of the RFC');
is(lc $ws->{headers}{upgrade}, 'websocket', 'Upgrade is answered');
is(lc $ws->{headers}{connection}, 'upgrade', 'Connection is answered');
ok(!exists $ws->{headers}{'sec-websocket-protocol'}, 'no protocol unasked');
ok(!exists $ws->{headers}{'sec-websocket-extensions'}, 'no extension');

is($nginx->ws(protocols => [ 'codr.v1' ])->{headers}{'sec-websocket-protocol'},
    'codr.v1', 'codr.v1 is echoed when it is offered');
is($nginx->ws(protocols => [ 'x', 'codr.key.c2VjcmV0', 'codr.v1' ])
    ->{headers}{'sec-websocket-protocol'}, 'codr.v1', 'and nothing beside it');
ok(!exists $nginx->ws(protocols => [ 'codr.key.c2VjcmV0' ])
    ->{headers}{'sec-websocket-protocol'}, 'a key is never echoed');
ok(!exists $nginx->ws(headers =>
        [ 'Sec-WebSocket-Extensions: permessage-deflate' ])
    ->{headers}{'sec-websocket-extensions'}, 'an extension is declined');

sub handshake {
    my ($status, $name, @lines) = @_;
    my $answer = Codr::Client->request(port => $nginx->port, path => '/run',
        headers => \@lines);
    is($answer->{status}, $status, $name);
    return $answer;
}

my @good = ('Upgrade: websocket', 'Connection: Upgrade',
    'Sec-WebSocket-Version: 13', "Sec-WebSocket-Key: $key");

my $plain = handshake(426, 'a plain GET must upgrade');
is($plain->{headers}{upgrade}, 'websocket', 'to websocket');
is($plain->{headers}{'sec-websocket-version'}, 13, 'version 13');
is($plain->{json}{code}, 'bad_message', 'and it says so in JSON');

is(handshake(426, 'another version', @good[0, 1, 3],
    'Sec-WebSocket-Version: 8')->{headers}{'sec-websocket-version'}, 13,
    'is told the right one');
handshake(426, 'no version', @good[0, 1, 3]);
handshake(426, 'two versions', @good, 'Sec-WebSocket-Version: 13');
handshake(426, 'another protocol', 'Upgrade: h2c', @good[1, 2, 3]);
handshake(400, 'no key', @good[0, 1, 2]);
handshake(400, 'a short key', @good[0, 1, 2], 'Sec-WebSocket-Key: c2hvcnQ=');
handshake(400, 'a key that is no base64', @good[0, 1, 2],
    'Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==');
handshake(400, 'two keys', @good, "Sec-WebSocket-Key: $key");
handshake(400, 'a body', @good, 'Content-Length: 2');

my $status = $nginx->get('/status', method => 'PUT');
is("$status->{status} $status->{headers}{allow} $status->{json}{code}",
    '405 GET, HEAD bad_message', 'PUT of the status is not allowed');
is($nginx->get('/run', method => 'PUT')->{status}, 405, 'PUT is not allowed');
is($nginx->get('/run', method => 'PUT')->{headers}{allow},
    'GET, POST, OPTIONS', 'and the answer says what is');

my $old = Codr::Client->connect(port => $nginx->port);
$old->{start} = time;
$old->write(join "\r\n", 'GET /run HTTP/1.0', 'Host: x', @good, '', '');
like($old->answer->{first}, qr/ 505 /, 'HTTP/1.0 cannot be upgraded');

$ws = $nginx->ws(headers => [ 'Connection: keep-alive', 'Upgrade: other' ]);
is($ws->{status}, 101, 'lists over several headers are understood');

$ws = $nginx->ws(path => '/slow');
is($ws->{status}, 101, 'limit_rate does not hold up the handshake');

# Frames.

is(answers(frame($PING) . $DONE), "$PONG (close 1000)", 'a message');
is(answers('', early => frame($PING) . frame($PING) . $DONE),
    "$PONG $PONG (close 1000)", 'frames may come with the handshake');
is(answers(frame($PING) . substr($DONE, 2), early => substr($DONE, 0, 2)
    . substr($DONE, 2)), '(close 1000)', 'what follows a Close is not read');

for my $early (1 .. 13) {
    my $bytes = frame($PING) . $DONE;
    is(answers(substr($bytes, $early), early => substr($bytes, 0, $early)),
        "$PONG (close 1000)", "a handshake ends in the midst of a frame");
}

$ws = $nginx->ws;
for my $byte (split //, frame($PING) . frame('x', op => 9)) {
    $ws->write($byte);
    sleep(0.002);
}
my @ops = map { ($ws->recv_frame // {})->{op} } 1 .. 2;
is_deeply(\@ops, [ 1, 10 ], 'bytes may come one by one');

is(answers(frame('{"type":', fin => 0) . frame('"ping",', op => 0, fin => 0)
    . frame('"n":1}', op => 0) . $DONE), "$PONG (close 1000)", 'fragments');
is(answers(frame('{"type":', fin => 0) . frame('p', op => 9)
    . frame('', op => 0, fin => 0) . frame('"ping","n":1}', op => 0),
    wait => 0.2), "(pong p) $PONG (timeout)",
    'a ping may come between them, and is answered first');

for my $size (0, 1, 125, 126, 127, 65535, 65536) {
    my $text = '{"type":"ping","n":1' . (' ' x ($size > 21 ? $size - 21 : 0))
        . '}';
    is(answers(frame($text) . $DONE), "$PONG (close 1000)",
        'a message of ' . length($text) . ' bytes');
}

is(answers(frame('', op => 9) . frame('x' x 125, op => 9)
    . frame('unasked', op => 10), wait => 0.2),
    '(pong ) (pong ' . 'x' x 125 . ') (timeout)',
    'pings are answered with their data, pongs are not');

is(answers(frame("{\"type\":\"ping\",\"s\":\"\xc3\xa9\",\"n\":1}") . $DONE),
    "{\"type\":\"pong\",\"s\":\"\xc3\xa9\",\"n\":1} (close 1000)", 'UTF-8');
is(answers(frame("{\"type\":\"ping\",\"s\":\"\xc3", fin => 0)
    . frame("\xa9\",\"n\":1}", op => 0) . $DONE),
    "{\"type\":\"pong\",\"s\":\"\xc3\xa9\",\"n\":1} (close 1000)",
    'a character may be split over fragments');

# What is wrong, and its code.

closes(frame($PING, mask => 0), 1002, 'a frame without a mask');
closes(frame($PING, rsv => $_), 1002, "reserved bit $_") for 1, 2, 4;
closes(frame('', op => $_), 1002, "reserved opcode $_") for 3 .. 7, 11 .. 15;
closes(frame('x', op => 9, fin => 0), 1002, 'a fragmented ping');
closes(frame('x' x 126, op => 9), 1002, 'a ping of 126 bytes');
closes(frame('x', op => 0), 1002, 'a continuation of nothing');
closes(frame('a', fin => 0) . frame('b'), 1002, 'a message inside another');
closes("\x81\xfe\x00\x05" . 'mask' . 'hello', 1002, '16 bits for 5 bytes');
closes("\x81\xff" . "\0" x 7 . "\x05" . 'mask' . 'hello', 1002,
    '64 bits for 5 bytes');
closes("\x81\xff\x80" . "\0" x 7 . 'mask', 1002, 'the highest bit of 64');
closes(frame('bytes', op => 2), 1003, 'a binary frame');
closes(frame("\xff"), 1007, 'bytes that are no UTF-8');
closes(frame("\xed\xa0\x80"), 1007, 'a surrogate');
closes(frame("a\xff", fin => 0), 1007, 'no UTF-8, before the message is whole');
closes(frame("a\xc3"), 1007, 'a message that ends in half a character');
closes(frame('', length => 1 << 40), 1009, 'a length of a terabyte');

closes(frame(pack('n', $_), op => 8), $_, "Close with $_ is echoed")
    for 1000 .. 1003, 1007 .. 1014, 3000, 3999, 4000, 4999;
closes(frame(pack('n', $_), op => 8), 1002, "Close with $_ is an error")
    for 0, 999, 1004 .. 1006, 1015, 1016, 1100, 2000, 2999;
closes(frame('', op => 8), 0, 'Close without a code is echoed');
closes(frame('x', op => 8), 1002, 'Close with half a code is an error');
closes(frame(pack('n', 1000) . "\xff", op => 8), 1007,
    'a reason that is no UTF-8');

is(answers($DONE, eof => 1), '(close 1000) (eof)',
    'the server ends the connection after the closing handshake');
is(answers(frame($PING, mask => 0), eof => 1), '(close 1002) (eof)',
    'and at once after an error');

# How much and how fast.  The cap of /small: 64k + 2 x (1k + 1k + 1k).

my $cap = 65536 + 2 * 3072;
my $pad = sub { return '{"type":"ping","n":1' . ' ' x ($_[0] - 21) . '}' };
is(answers(frame($pad->($cap)) . $DONE, path => '/small'),
    "$PONG (close 1000)", 'the largest message');
closes(frame('', length => $cap + 1), 1009,
    'one byte more is refused from the header', path => '/small');
closes(frame($pad->($cap), fin => 0) . frame('x', op => 0, fin => 0), 1009,
    'and in fragments together', path => '/small');

closes(join('', map { frame('', op => 0, fin => 0) x ($_ > 1)
    . ($_ == 1 ? frame('', fin => 0) : '') } 1 .. 1025), 1008,
    'a message of more than 1024 fragments');
like(answers(join '', map { frame('x', op => 9) } 1 .. 150),
    qr/\(pong x\) \(close 1008\)$/, 'a flood of pings');
like(answers(join '', map { frame('{}') } 1 .. 1100),
    qr/^\{"type":"notice".*\(close 1008\)$/, 'a flood of messages');

# Time.

my $start = time;
closes('', 4000, 'the first message is late', path => '/late');
cmp_ok(time - $start, '>=', 0.25, 'but not before its time');
closes(substr(frame($PING), 0, 5), 4000, 'half a message is none',
    path => '/late');
is(answers(frame($PING), path => '/idle'), "$PONG (close 1000)",
    'a socket that is idle is closed');

$ws = $nginx->ws(path => '/ping');
my @pings;
$start = time;
while (my $frame = $ws->recv_frame(3)) {
    push @pings, $frame->{op};
}
is_deeply(\@pings, [ 9, 9 ], 'two pings without an answer');
ok($ws->{eof}, 'end the connection');
cmp_ok(time - $start, '<', 2 * slow(), 'in time');

$ws = $nginx->ws(path => '/ping');
for (1 .. 6) {
    my $frame = $ws->recv_frame(3) or last;
    $ws->send_frame($frame->{data}, op => 10);
}
$ws->send(type => 'ping', n => 1);
like($ws->recv->{type}, qr/pong/, 'who answers pings stays');

# One that reads nothing is not listened to for ever, and costs little.

$ws = $nginx->ws;
my $big = frame('{"type":"ping","s":"' . 'x' x 60000 . '"}');
my $sent = 0;
for (1 .. 400) {
    my $n = $ws->write($big, 0.5);
    $sent += $n;
    last if $n < length $big;
}
cmp_ok($sent, '<', 20_000_000, 'who does not read is not read');
like(answers(frame($PING) . $DONE), qr/^\Q$PONG/, 'others go on');
my $all = '';
while (my $frame = $ws->recv_frame(1)) {
    $all .= $frame->{op};
}
like($all, qr/^1{4,}$/, 'and gets all answers once it reads');
$ws->drop;

$nginx->finish;
done_testing();
