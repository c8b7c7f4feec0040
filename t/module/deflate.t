# permessage-deflate (RFC 7692): what is agreed on, what is compressed, what a
# peer may not do with it.

use strict;
use warnings;

use Codr::Client;
use Codr::Deflate qw(packed unpacked);
use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Compress::Raw::Zlib;
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Test::More;

need(qw(module helper /usr/bin/python3));

# A message's cap in /small: 64k + 2 x (1k + 1k + 1k); until a credential has
# been accepted, as in /ticket, 64k + 2 x 1k.
my $SMALL = 'codr_code_size 1k; codr_files 1k; codr_input 1k;';
my $CAP = 65536 + 2 * 3072;
my $FIRST = 65536 + 2 * 1024;

my $nginx = Codr::Nginx->new(http => 'codr_deflate on;', server => <<"CONF");
    location = /small { codr_exec; $SMALL }
    location = /ticket { codr_exec; codr_auth ticket; $SMALL }
    location = /off { codr_exec; codr_deflate off; }
    location = /much { codr_exec; codr_output 64m; codr_timeout 60s; }
CONF
$nginx->ready;

my $NO = 'server_no_context_takeover; client_no_context_takeover';
my $PLAIN = "permessage-deflate; $NO";
my $DONE = Codr::Client->frame(pack('n', 1000), op => 8);

sub offer { return (headers => [ map {"Sec-WebSocket-Extensions: $_"} @_ ]) }

sub agreed {
    my ($path, @offers) = @_;
    my $ws = $nginx->ws(path => $path, offer(@offers));
    return "status $ws->{status}" if $ws->{status} != 101;
    return $ws->{headers}{'sec-websocket-extensions'};
}

sub deflating {
    my (%o) = @_;
    my $offer = delete $o{offer} // 'permessage-deflate';
    return $nginx->ws(path => '/small', offer($offer), %o);
}

# A frame of a compressed message.
sub frame { return Codr::Client->frame($_[0], rsv => 4, @_[1 .. $#_]) }

sub ping { return '{"type":"ping","s":"' . $_[0] . '"}' }
sub pong { return '{"type":"pong","s":"' . $_[0] . '"}' }

# A ping of so many bytes, of a text that does or does not get shorter.
sub sized { return ping('x' x ($_[0] - length ping(''))) }
sub random {
    return ping(join '', map { chr 48 + rand 64 } 1 .. $_[0] - length ping(''))
        =~ tr/\\/~/r;
}

# What a socket answers to bytes: what its messages hold, how it ended.
sub answers {
    my ($bytes, %o) = @_;
    my $ws = deflating(%o);
    $ws->write($bytes);
    my @got;
    while (my $frame = $ws->recv_frame) {
        my ($op, $data) = @{$frame}{qw(op data)};
        return join ' ', @got, '(' . unpack('n', $data) . ')' if $op == 8;
        my $text = $frame->{rsv} == 4 ? unpacked($data) // '(bad)' : $data;
        push @got, $op == 1 ? $text : "(op $op $text)";
    }
    return join ' ', @got, $ws->{eof} ? '(eof)' : '(timeout)';
}

# Compared as text that can be read when it differs.
sub answered {
    my ($bytes, $want, $name, %o) = @_;
    my $got = answers($bytes, %o);
    for ($got, $want) {
        $_ = substr($_, 0, 40) . ' ... ' . sha256_hex($_) . substr($_, -20)
            if length > 200;
    }
    is($got, $want, $name);
}


subtest 'what is agreed on' => sub {
    is(agreed('/off', 'permessage-deflate'), undef, 'nothing, when it is off');
    is(agreed('/run'), undef, 'nothing that was not asked for');
    is(agreed('/run', $_), $PLAIN, $_) for 'permessage-deflate',
        "permessage-deflate; $NO", 'permessage-deflate; client_max_window_bits',
        'permessage-deflate;client_max_window_bits=8 ; '
            . 'server_no_context_takeover',
        'Permessage-Deflate; client_max_window_bits="12"',
        ', ,permessage-deflate,', 'x-webkit-deflate-frame, permessage-deflate',
        'foo; bar="a, permessage-deflate; x=\\"y"; z, permessage-deflate';
    is(agreed('/run', "permessage-deflate; server_max_window_bits=$_"),
        "$PLAIN; server_max_window_bits=$_", "a window of $_ bits") for 8 .. 15;
    is(agreed('/run', 'permessage-deflate; server_max_window_bits="9"'),
        "$PLAIN; server_max_window_bits=9", 'as a quoted string');

    is(agreed('/run', "permessage-deflate; $_"), undef, "not with $_") for
        'unknown', 'unknown=1', 'server_no_context_takeover=1',
        'client_no_context_takeover=""', "$NO; server_no_context_takeover",
        (map {"server_max_window_bits$_"} '', '=', '=7', '=16', '=08', '=+9',
            '=9x', '=-1', '=""', '="9', '=1 5', '=4294967304',
            '=9; server_max_window_bits=9'),
        (map {"client_max_window_bits$_"} '=7', '=16', '=010', '=x',
            '; client_max_window_bits'),
        '', ';', 'server_no_context_takeover client_no_context_takeover';
    is(agreed('/run', $_), undef, "not '$_'") for 'permessage-deflate2',
        'permessage', 'perframe-deflate', '', ',', ';permessage-deflate',
        'x y, permessage-deflate', '"permessage-deflate"',
        'x; y="permessage-deflate', "permessage-deflate; \x80";

    is(agreed('/run', 'permessage-deflate; server_max_window_bits=7, '
        . 'permessage-deflate; server_max_window_bits=10, permessage-deflate'),
        "$PLAIN; server_max_window_bits=10", 'the first offer that can be met');
    is(agreed('/run', 'permessage-deflate; unknown', 'foo',
        'permessage-deflate; server_max_window_bits=11'),
        "$PLAIN; server_max_window_bits=11", 'of several headers');
    is(agreed('/run', 'x y', 'permessage-deflate'), $PLAIN,
        'one that cannot be read does not hide the next');
    is(agreed('/run', join ',', ('permessage-deflate; x') x 150), undef,
        'many offers, none good');
};


subtest 'messages' => sub {
    my $text = ping('abc' x 500);
    answered(frame(packed($text)) . $DONE, pong('abc' x 500) . ' (1000)',
        'a compressed message is answered');
    answered(Codr::Client->frame($text) . frame(packed($text)) . $DONE,
        join(' ', (pong('abc' x 500)) x 2, '(1000)'),
        'so is one that is not');
    answered(frame(packed($text, level => 0)) . $DONE,
        pong('abc' x 500) . ' (1000)', 'stored blocks');
    answered(frame(packed($text, strategy => Z_FIXED)) . $DONE,
        pong('abc' x 500) . ' (1000)', 'a fixed code');
    answered(frame(packed($text, flush => Z_FINISH)) . $DONE,
        pong('abc' x 500) . ' (1000)', 'a final block');
    answered(frame(packed(substr($text, 0, 99), flush => Z_FINISH)
        . packed(substr $text, 99)) . $DONE, pong('abc' x 500) . ' (1000)',
        'a final block, and more');
    answered(frame(packed($text, flush => Z_FINISH) . "\0") . $DONE,
        pong('abc' x 500) . ' (1000)', 'as the RFC ends it');
    answered(frame(packed($text, flush => Z_FULL_FLUSH) . "\0") . $DONE,
        pong('abc' x 500) . ' (1000)', 'a flush within');
    like(answers(frame($_) . $DONE), qr/^\{"type":"notice".*\(1000\)$/,
        'nothing, as ' . (unpack('H*', $_) || 'nothing'))
        for "\0", "\3\0", '';

    my $packed = packed($text);
    my @cut = map { substr $packed, $_, 1 } 0 .. length($packed) - 1;
    answered(join('', map { Codr::Client->frame($cut[$_], op => $_ ? 0 : 1,
        rsv => $_ ? 0 : 4, fin => $_ == $#cut) } 0 .. $#cut) . $DONE,
        pong('abc' x 500) . ' (1000)', 'a byte a fragment');
    answered(Codr::Client->frame(substr($packed, 0, 3), rsv => 4, fin => 0)
        . Codr::Client->frame('p', op => 9)
        . Codr::Client->frame(substr($packed, 3), op => 0) . $DONE,
        '(op 10 p) ' . pong('abc' x 500) . ' (1000)',
        'a ping between fragments is as it is');

    my $ws = deflating();
    my @twice = map {
        $ws->send_frame($packed, rsv => 4);
        $ws->recv_frame;
    } 1 .. 2;
    is_deeply($twice[0], $twice[1], 'an answer depends on none before it');
    is($twice[0]{rsv}, 4, 'is compressed');
    cmp_ok(length $twice[0]{data}, '<', 60, 'and short');
    $ws->send_frame(packed(ping('x')), rsv => 4);
    is($ws->recv_frame->{rsv}, 0, 'a small answer is not compressed');
    $ws->send_frame(random(5000));
    my $frame = $ws->recv_frame;
    cmp_ok(length $frame->{data}, '<=', 5000, 'no answer gets longer by it');
    $ws->send_frame('x', op => 9);
    is($ws->recv_frame->{rsv}, 0, 'nor is a control frame');
    $ws = $nginx->ws(path => '/small');
    $ws->send_frame($text);
    is($ws->recv_frame->{rsv}, 0, 'nor anything that was not agreed on');
};


subtest 'a window' => sub {
    my @words = map { join '', map { chr 97 + rand 26 } 1 .. 3 + rand 6 }
        1 .. 400;
    my $text = join ' ', map { $words[rand @words] } 1 .. 5000;
    my $runs = join '', map { chr(97 + rand 26) x rand 40 } 1 .. 500;
    my (%size, %bad);
    for my $bits (8 .. 15) {
        my $ws = deflating(offer => 'permessage-deflate; '
            . "server_max_window_bits=$bits");
        for my $s ($text, $runs) {
            $ws->send_frame(packed(ping($s)), rsv => 4);
            my $frame = $ws->recv_frame;
            $bad{$bits} = 1 if $frame->{rsv} != 4
                || (unpacked($frame->{data}, $bits) // '') ne pong($s);
            $size{$bits} //= length $frame->{data};
        }
    }
    is(join(' ', sort keys %bad), '', 'of 8 to 15 bits suffices');
    cmp_ok($size{15}, '<', $size{10}, 'a larger one is used');
    my $ws = deflating();
    $ws->send_frame(ping($text));
    is(unpacked($ws->recv_frame->{data}, 10), undef,
        'the reader of this test sees when one is exceeded');
};


subtest 'bits and frames that must not be' => sub {
    my $packed = packed(ping('abc'));
    my $whole = frame($packed);
    my $rest = Codr::Client->frame(substr($packed, 5), op => 0, rsv => 4);
    for (
        [ frame(substr($packed, 0, 5), fin => 0) . $rest,
            'RSV1 in a continuation' ],
        [ Codr::Client->frame('{', fin => 0) . $rest,
            'RSV1 after the first frame only' ],
        [ frame('x', op => 9), 'a compressed ping' ],
        [ frame('x', op => 10), 'a compressed pong' ],
        [ frame(pack('n', 1000), op => 8), 'a compressed Close' ],
        (map { [ Codr::Client->frame($packed, rsv => $_), "reserved bits $_" ] }
            1, 2, 3, 5, 6, 7),
    ) {
        is(answers($_->[0]), '(1002)', $_->[1]);
    }
    my $ws = $nginx->ws(path => '/small');
    $ws->write($whole);
    is($ws->recv->{code}, 1002, 'RSV1 that was not agreed on');
    $ws = $nginx->ws(path => '/off', offer('permessage-deflate'));
    $ws->write($whole);
    is($ws->recv->{code}, 1002, 'or that is off here');
    is(answers(frame('x', op => 2)), '(1003)', 'a compressed binary message');
};


subtest 'what is no deflate' => sub {
    my $packed = packed(ping('abc' x 100) . join '', map { chr rand 128 }
        1 .. 300);
    for (
        [ "\xff\xff\xff", 'a block of an unknown kind' ],
        [ "\x00\x05\x00\x05\x00hello", 'a length and its wrong complement' ],
        [ 'x' x 1000, 'text' ],
        [ substr($packed, 0, length($packed) / 2), 'half a message' ],
        [ substr($packed, 0, -2), 'all but two bytes of one' ],
        [ substr(packed('abc' x 9999, flush => Z_FINISH), 0, -2),
            'an end that is cut off' ],
        [ packed('x') . "\xff", 'something behind it' ],
        [ "\x4b\x04\x11\x00", 'a look back beyond its beginning' ],
        [ "\x78\x9c" . packed(ping('x')), 'a header of zlib' ],
    ) {
        is(answers(frame($_->[0])), '(1007)', $_->[1]);
    }
    is(answers(frame(packed($_->[0]))), '(1007)', "$_->[1], compressed") for
        [ "\xff", 'no UTF-8' ], [ "\xed\xa0\x80", 'a surrogate' ],
        [ "\xc3", 'half a character' ], [ "\xc0\x80", 'a long form' ],
        [ "\xf4\x90\x80\x80", 'a code too large' ],
        [ 'x' x 5000 . "\x80", 'no UTF-8 at the end' ];
    answered(frame(packed(ping("\xc3\xa9\xf0\x9f\x98\x80" x 90))) . $DONE,
        pong("\xc3\xa9\xf0\x9f\x98\x80" x 90) . ' (1000)', 'UTF-8 passes');
};


subtest 'how much' => sub {
    for my $make (\&sized, \&random) {
        my $name = $make == \&sized ? 'that gets short' : 'that does not';
        my $text = $make->($CAP);
        answered(frame(packed($text)) . $DONE, ($text =~ s/ping/pong/r)
            . ' (1000)', "the largest message, $name");
        is(answers(frame(packed($make->($CAP + 1)))), '(1009)',
            'a byte more');
        is(answers(frame(packed($make->($CAP - 1))) . $DONE)
            =~ s/^.*\}//r, ' (1000)', 'and a byte less');
    }
    my $text = random($CAP);
    answered(frame(packed($text, level => 0)) . $DONE,
        ($text =~ s/ping/pong/r) . ' (1000)', 'one in stored blocks');
    is(answers(frame(packed('x' x $CAP . 'x' x 9_000_000))), '(1009)',
        'a bomb');
    is(answers(frame('', length => $CAP + $CAP / 16 + 65)), '(1009)',
        'what is too long as it is, from the header');
    is(answers(Codr::Client->frame(sized($CAP + 1))), '(1009)',
        'and without compression');

    is(answers(frame(packed(sized($FIRST + 1))), path => '/ticket'), '(1009)',
        'without a credential, less');
    like(answers(frame(packed(sized($FIRST))) . $DONE, path => '/ticket'),
        qr/^\{"type":"pong".*\(1000\)$/, 'as much as that');
    like(answers(frame(packed(sized(100)))
        . Codr::Client->frame(sized($FIRST + 1)), path => '/ticket'),
        qr/^\{"type":"pong".*\(1009\)$/,
        'and not more when two come together');

    my $much = frame(packed(sized($CAP)));
    like(answers($much x 60), qr/\}? ?\(1008\)$/,
        'a flood of what is much and costs its sender little');
};


subtest 'memory' => sub {
    plan skip_all => 'a sanitizer build' if $ENV{CODR_SANITIZER};
    my ($worker) = $nginx->workers;
    my $kilobytes = sub {
        my ($name) = @_;
        return (slurp("/proc/$worker/status") =~ /^$name:\s+(\d+)/m)[0];
    };
    my $bomb = frame(packed('x' x 64_000_000, level => 9));
    my $before = $kilobytes->('VmHWM');
    is(answers($bomb, path => '/run'), '(1009)', 'a bomb of 64 megabytes');
    cmp_ok($kilobytes->('VmHWM') - $before, '<', 48_000,
        'takes no more than the largest message');

    my $text = packed(ping('abc' x 500));
    $before = $kilobytes->('VmRSS');
    my @sockets = map { deflating() } 1 .. 200;
    $_->send_frame($text, rsv => 4) for @sockets;
    is(scalar(grep { $_->recv_frame->{rsv} == 4 } @sockets), 200,
        '200 sockets have compressed');
    cmp_ok($kilobytes->('VmRSS') - $before, '<', 200 * 100,
        'and keep no stream each');
};


# A whole job over a socket, compressed both ways: { text, end, frames }.
sub job {
    my ($ws, %message) = @_;
    $ws->send_frame(packed(Codr::Client::encode({ type => 'execute',
        language => 'python', tty => JSON::PP::false, %message })), rsv => 4);
    return finish($ws);
}

sub finish {
    my ($ws) = @_;
    my %got = (text => [ '', '' ], packed => 0, end => {});
    while (my $frame = $ws->recv_frame(60)) {
        my $data = $frame->{data};
        if ($frame->{rsv} == 4) {
            $got{packed}++;
            $data = unpacked($data);
        }
        if ($frame->{op} == 2) {
            my ($stream, $bytes) = unpack 'Ca*', $data;
            $got{text}[ $stream - 1 ] .= $bytes;
            next;
        }
        next if $frame->{op} != 1;
        my $m = Codr::Client::decode($data);
        $got{text}[ $m->{stream} eq 'stderr' ] .= $m->{data}
            if $m->{type} eq 'output';
        return { %got, end => $m } if $m->{type} =~ /^(?:complete|error)$/;
    }
    return \%got;
}

my $MUCH = "import os\nb = bytes(range(256)) * 4000\nn = 0\n"
    . "while n < 9000000:\n    n += os.write(1, b[n % 256:][:9000000 - n])\n";
my $HASH = sha256_hex(substr join('', map { chr } 0 .. 255) x 40000, 0,
    9_000_000);


subtest 'a job' => sub {
    my $job = job(deflating(path => '/run'),
        code => "print('line of output ' * 200)\n");
    is($job->{text}[0], 'line of output ' x 200 . "\n", 'its output');
    is($job->{end}{status}, 'ok', 'and its end');
    cmp_ok($job->{packed}, '>', 0, 'came compressed');

    my $ws = deflating(path => '/much', protocols => ['codr.v1.bin']);
    $job = job($ws, code => $MUCH);
    is(sha256_hex($job->{text}[0]), $HASH, 'a flood of binary messages');
    cmp_ok($job->{packed}, '>', 0, 'compressed');

    my $bytes = join '', map { chr } 0 .. 255;
    $ws->send_frame(packed(Codr::Client::encode({ type => 'execute',
        language => 'python', tty => JSON::PP::false, code =>
            "import os\nwhile b := os.read(0, 9999): os.write(1, b)\n" })),
        rsv => 4);
    $ws->wait_for('stage');
    $ws->send_frame(packed("\0$bytes" . $bytes x 9), rsv => 4, op => 2);
    $ws->send_frame(packed('{"type":"eof"}'), rsv => 4);
    is(finish($ws)->{text}[0], $bytes x 10, 'compressed input');

    $job = job(deflating(path => '/much', offer => 'permessage-deflate; '
        . 'server_max_window_bits=9', protocols => ['codr.v1.bin']),
        code => $MUCH);
    is(sha256_hex($job->{text}[0]), $HASH, 'a small window');
};


subtest 'who reads slowly, and a reload' => sub {
    my $idle = deflating(path => '/run');
    my $ws = deflating(path => '/much', protocols => ['codr.v1.bin']);
    $ws->send_frame(packed(Codr::Client::encode({ type => 'execute',
        language => 'python', tty => JSON::PP::false, code => $MUCH })),
        rsv => 4);
    $ws->wait_for('stage');
    ok($nginx->reload, 'a reload');
    is($idle->recv->{code}, 1012, 'ends who is idle');
    my $job = finish($ws);
    is(sha256_hex($job->{text}[0]), $HASH, 'all of it arrives');
    is($job->{end}{status}, 'ok', 'to its end');
    is($ws->recv->{code}, 1012, 'and the socket leaves');

    $ws = deflating(path => '/much');
    my $pings = Codr::Client->frame(ping('abc ' x 10_000));
    my $sent = 0;
    for (1 .. 400) {
        $sent++;
        last if $ws->write($pings, 0.5) < length $pings;
    }
    is(answers(frame(packed(ping('x'))) . $DONE), pong('x') . ' (1000)',
        'others go on while one does not read');
    is(unpacked($ws->recv_frame->{data}), pong('abc ' x 10_000),
        'who reads gets its answers');
    $ws->drop;

    ok($nginx->reload(http => 'codr_deflate off;'), 'a reload that ends it');
    is(agreed('/run', 'permessage-deflate'), undef, 'for new sockets');
};

$nginx->finish;
done_testing();
