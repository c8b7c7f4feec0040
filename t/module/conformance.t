# RFC 6455 against a location that echoes, in the groups that suites for
# WebSocket servers have: framing, pings, reserved bits, opcodes, fragments,
# UTF-8, closing, sizes.  Each case as one write, frame by frame, and byte by
# byte where it is short.

use strict;
use warnings;
use utf8;

use Codr::Client;
use Codr::Host qw(need);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use Encode qw(encode_utf8);
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More;
use Time::HiRes qw(sleep);

need('module');

my $nginx = Codr::Nginx->new(echo => 1, server => <<'CONF');
    location = /echo { codr_exec; codr_echo; codr_files 16m; }
CONF

my $BYTEWISE = 300;     # bytes of a case that is sent one by one, at most

sub text  { my ($t, %o) = @_; return Codr::Client->frame($t, %o) }
sub bin   { my ($t, %o) = @_; return Codr::Client->frame($t, op => 2, %o) }
sub more  { my ($t, %o) = @_; return Codr::Client->frame($t, op => 0, %o) }
sub ping  { my ($t, %o) = @_; return Codr::Client->frame($t, op => 9, %o) }
sub pong  { my ($t, %o) = @_; return Codr::Client->frame($t, op => 10, %o) }

sub closing {
    my ($code, $reason) = @_;
    return Codr::Client->frame(defined $code ? pack('n', $code)
        . ($reason // '') : '', op => 8);
}

# A message in fragments.
sub fragments {
    my ($op, @parts) = @_;
    return map { Codr::Client->frame($parts[$_], op => $_ ? 0 : $op,
        fin => $_ == $#parts) } 0 .. $#parts;
}

# What is answered to writes: T and B of messages, P of pongs, (code) of Close;
# of what is long, its length and hash.
sub answers {
    my ($ws, $pause, @writes) = @_;
    for (@writes) {
        $ws->write($_);
        sleep $pause if $pause;
    }
    my @got;
    while (my $frame = $ws->recv_frame) {
        my ($op, $data) = @{$frame}{qw(op data)};
        push @got, '(not whole)' if !$frame->{fin} || $frame->{rsv}
            || $frame->{masked};
        if ($op == 8) {
            push @got, '(' . (length $data ? unpack 'n', $data : '') . ')';
            next;
        }
        push @got, ({ 1 => 'T', 2 => 'B', 10 => 'P' }->{$op} // "op $op ")
            . short($data);
    }
    return join ' ', @got, $ws->{eof} ? () : '(timeout)';
}

sub short {
    my ($data) = @_;
    return length $data > 150 ? length($data) . ':' . sha256_hex($data)
        : unpack('H*', $data) =~ s/^((?:[2-7][0-9a-f])*)$/pack 'H*', $1/er;
}

sub socket_to {
    my ($path) = @_;
    my $ws = $nginx->ws(path => $path // '/echo');
    die "no echo: $ws->{status}" if $ws->{status} != 101;
    setsockopt $ws->{s}, IPPROTO_TCP, TCP_NODELAY, 1;
    return $ws;
}

# A case: frames, and what is answered to them.  A server's Close is the last
# thing it says; where none is expected our own is added.
my %failed;
sub conforms {
    my ($name, $want, @frames) = @_;
    if ($want !~ /\(\d*\)$/) {
        push @frames, closing(1000);
        $want = join ' ', $want || (), '(1000)';
    }
    my $all = join '', @frames;
    my %modes = (whole => [ 0, $all ], frames => [ 0, @frames ]);
    $modes{bytes} = [ 0.0002, split //, $all ] if length $all <= $BYTEWISE;
    my @bad;
    for (sort keys %modes) {
        my ($pause, @writes) = @{ $modes{$_} };
        my $got = answers(socket_to(), $pause, @writes);
        push @bad, "$_: $got" if $got ne $want;
    }
    ok(!@bad, $name) or diag("expected $want, got\n", join "\n", @bad);
}


subtest 'framing' => sub {
    for my $size (0, 1, 125, 126, 127, 128, 65535, 65536) {
        my $data = '*' x $size;
        conforms("text of $size bytes", 'T' . short($data), text($data));
        $data = "\xfe" x $size;
        conforms("binary of $size bytes", 'B' . short($data), bin($data));
    }
    my $data = '*' x 65536;
    my $frame = text($data);
    is(answers(socket_to(), 0, $frame =~ /(.{1,997})/gs, closing(1000)),
        'T' . short($data) . ' (1000)', 'in pieces of 997 bytes');
    conforms("a length of $_->[0]", '(1002)', "\x81$_->[1]mask")
        for [ '125 in 16 bits', "\xfe\0\x7d" ],
        [ '0 in 16 bits', "\xfe\0\0" ],
        [ '65535 in 64 bits', "\xff\0\0\0\0\0\0\xff\xff" ],
        [ '0 in 64 bits', "\xff" . "\0" x 8 ],
        [ 'over 63 bits', "\xff\x80" . "\0" x 7 ],
        [ 'all bits', "\xff" . "\xff" x 8 ];
    conforms('no mask', '(1002)', text('abc', mask => 0));
    conforms('no mask on a ping', '(1002)', ping('abc', mask => 0));
    conforms('a mask of zeros', 'Tabc', "\x81\x83\0\0\0\0abc");
    conforms('a 16 bit length with the highest bit', 'T' . short('x' x 32768),
        text('x' x 32768));
};


subtest 'pings' => sub {
    conforms('without data', 'P', ping(''));
    conforms('with text', 'Phello', ping('hello'));
    conforms('with bytes', 'P00fffefdfcfb00ff',
        ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff"));
    conforms('with 125 bytes', 'P' . short('x' x 125), ping('x' x 125));
    conforms('with 126 bytes', '(1002)', ping('x' x 126));
    conforms('an unasked pong', '', pong(''));
    conforms('an unasked pong with data', '', pong('unasked'));
    conforms('an unasked pong, then a ping', 'Pp', pong('x'), ping('p'));
    conforms('ten', join(' ', map {"Pp$_"} 0 .. 9), map { ping("p$_") }
        0 .. 9);
    conforms('a pong of 126 bytes', '(1002)', pong('x' x 126));
    conforms('answers keep their order', 'Ta Pb Tc Pd',
        text('a'), ping('b'), text('c'), ping('d'));
};


subtest 'reserved bits' => sub {
    for my $rsv (1 .. 7) {
        conforms("$rsv in a text", '(1002)', text('x', rsv => $rsv));
        conforms("$rsv after a message", 'Ta (1002)', text('a'),
            text('x', rsv => $rsv), ping(''));
        conforms("$rsv in a continuation", '(1002)', text('a', fin => 0),
            more('b', rsv => $rsv));
        conforms("$rsv in a binary", '(1002)', bin('x', rsv => $rsv));
        conforms("$rsv in a ping", '(1002)', ping('x', rsv => $rsv));
        conforms("$rsv in a Close", '(1002)',
            Codr::Client->frame("\x03\xe8", op => 8, rsv => $rsv));
    }
};


subtest 'opcodes' => sub {
    for my $op (3 .. 7, 11 .. 15) {
        conforms("opcode $op", '(1002)', Codr::Client->frame('', op => $op));
        conforms("$op with data", '(1002)', Codr::Client->frame('x',
            op => $op));
        conforms("$op after a message", 'Ta (1002)', text('a'),
            Codr::Client->frame('x', op => $op), ping(''));
        conforms("$op in a message", '(1002)', text('a', fin => 0),
            Codr::Client->frame('x', op => $op));
    }
};


subtest 'fragments' => sub {
    conforms("a $_->[0] in two", '(1002)', Codr::Client->frame('a',
        op => $_->[1], fin => 0), more('b'))
        for [ 'ping', 9 ], [ 'pong', 10 ], [ 'Close', 8 ];
    conforms('a text in two', 'Tab', fragments(1, 'a', 'b'));
    conforms('a binary in two', 'Bab', fragments(2, 'a', 'b'));
    conforms('of nothing', 'T', fragments(1, '', '', ''));
    conforms('some of nothing', 'Ta', fragments(1, '', 'a', ''));
    my @two = fragments(1, 'a', 'b');
    conforms('a ping between two', 'Pp Tab', $two[0], ping('p'), $two[1]);
    conforms('a pong between two', 'Tab', $two[0], pong('p'), $two[1]);
    conforms('pings before, between, behind', 'P0 P1 Tab P2', ping('0'),
        $two[0], ping('1'), $two[1], ping('2'));
    conforms('a Close between two', '(1000)', $two[0], closing(1000), $two[1]);
    my @five = fragments(1, map {"fragment$_"} 1 .. 5);
    conforms('five, and pings', 'P1 P2 T' . short(join '', map {"fragment$_"}
        1 .. 5) . ' P3', @five[0, 1], ping('1'), @five[2, 3], ping('2'),
        $five[4], ping('3'));
    for my $fin (0, 1) {
        conforms('a continuation of nothing, ' . ($fin ? 'whole' : 'part'),
            '(1002)', more('x', fin => $fin), text('a'));
        conforms('or after a message, ' . ($fin ? 'whole' : 'part'),
            'Tab (1002)', @two, more('x', fin => $fin), text('a'));
    }
    conforms('a message in another', '(1002)', text('a', fin => 0), text('b'));
    conforms('one of another kind', '(1002)', text('a', fin => 0), bin('b'));
    conforms('two that are begun', '(1002)', text('a', fin => 0),
        text('b', fin => 0), more('c'));
    conforms('three messages', 'Tab Bcd Tef', fragments(1, 'a', 'b'),
        fragments(2, 'c', 'd'), fragments(1, 'e', 'f'));
    conforms('a thousand', 'T' . short('ab' x 500), fragments(1,
        split //, 'ab' x 500));
};


# What is UTF-8, and what is not: for the latter, how many bytes can be good.
my @GOOD = ('κόσμε', 'Hello-µ@ßöäüàá-UTF-8!!',
    "\x{0}", "\x{7f}", "\x{80}",
    "\x{7ff}", "\x{800}", "\x{d7ff}", "\x{e000}", "\x{fffd}", "\x{feff}",
    "\x{10000}", "\x{10fffd}", 'a😀b', '€', '𐍈ñ');
push @GOOD, map { no warnings; chr } 0xfffe, 0xffff, 0x1fffe, 0x10ffff;
my @BAD = (
    [ "\x80", 0 ], [ "\xbf", 0 ], [ "\xc0", 0 ], [ "\xc1\xbf", 0 ],
    [ "\xc0\x80", 0 ], [ "\xf5", 0 ], [ "\xf8\x88\x80\x80\x80", 0 ],
    [ "\xfc\x84\x80\x80\x80\x80", 0 ], [ "\xfe", 0 ], [ "\xff", 0 ],
    [ "\xc2\x00", 1 ], [ "\xc2\xc2", 1 ], [ "\xdf\x7f", 1 ],
    [ "\xe0\x80\x80", 1 ], [ "\xe0\x9f\xbf", 1 ], [ "\xed\xa0\x80", 1 ],
    [ "\xed\xad\xbf", 1 ], [ "\xed\xbf\xbf", 1 ], [ "\xe1\x80\xe2", 2 ],
    [ "\xef\xbf\x3f", 2 ], [ "\xed\xa0\x80\xed\xb0\x80", 1 ],
    [ "\xf0\x80\x80\x80", 1 ], [ "\xf0\x8f\xbf\xbf", 1 ],
    [ "\xf4\x90\x80\x80", 1 ], [ "\xf0\x90\x80\x20", 3 ],
    [ "\xf1\x80\xff", 2 ], [ "\xf4\x8f\xbf\xc0", 3 ],
    [ encode_utf8('κόσμε') . "\xf4\x90\x80\x80" . 'edited', 11 ],
    [ encode_utf8('κόσμε') . "\xed\xa0\x80" . 'edited', 11 ],
);


subtest 'UTF-8' => sub {
    for my $text (map { encode_utf8($_) } @GOOD) {
        my $name = unpack 'H*', $text;
        conforms("the bytes $name", 'T' . short($text), text($text));
        my @splits = map { [ substr($text, 0, $_), substr $text, $_ ] }
            0 .. length $text;
        my $ws = socket_to();
        is(answers($ws, 0, (map { fragments(1, @{$_}) } @splits),
            fragments(1, split //, $text), closing(1000)),
            join(' ', ('T' . short($text)) x (@splits + 1), '(1000)'),
            'in two anywhere, and byte by byte');
        next if $text !~ /[\x80-\xff]\z/;
        is(answers(socket_to(), 0, text(substr $text, 0, -1)), '(1007)',
            'but not without its end');
    }
};


subtest 'no UTF-8' => sub {
    for (@BAD) {
        my ($bytes, $good) = @{$_};
        my $name = unpack 'H*', $bytes;
        conforms("the bytes $name", '(1007)', text($bytes), ping(''));
        conforms("$name in fragments", '(1007)', fragments(1, split //,
            $bytes));
        conforms("$name is good in binary", 'B' . short($bytes), bin($bytes));

        # as soon as it can be known: neither the message nor the frame ends
        my $sure = substr $bytes, 0, $good + 1;
        is(answers(socket_to(), 0, text($sure, fin => 0)), '(1007)',
            'before the message is whole');
        my $ws = socket_to();
        $ws->write(substr text($bytes . 'x' x 100), 0, -100 - length($bytes)
            + length $sure);
        is(answers($ws, 0), '(1007)', 'and before the frame is');
        next if $good == 0;
        $ws = socket_to();
        $ws->write(text(substr($bytes, 0, $good), fin => 0) . ping('p'));
        is(($ws->recv_frame // {})->{op}, 10, 'what may become good is not');
    }
};


subtest 'closing' => sub {
    conforms('after a message', 'Ta (1000)', text('a'), closing(1000));
    conforms('twice', '(1000)', closing(1000), closing(1000));
    conforms('then a ping', '(1000)', closing(1000), ping('x'));
    conforms('then a message', '(1000)', closing(1000), text('x'));
    conforms('then half a frame', '(1000)', closing(1000), "\x81");
    conforms('then what is no frame', '(1000)', closing(1000), "\xff" x 20);
    conforms('after much', 'T' . short('x' x 262144) . ' (1000)',
        text('x' x 262144), closing(1000), ping(''));
    conforms('without a code', '()', closing());
    conforms('with half a code', '(1002)', Codr::Client->frame('x', op => 8));
    conforms('with a reason', '(1000)', closing(1000, 'because'));
    conforms('with one of 123 bytes', '(1000)', closing(1000, 'x' x 123));
    conforms('with one of 124 bytes', '(1002)', closing(1000, 'x' x 124));
    conforms('with a reason in UTF-8', '(1000)', closing(1000,
        encode_utf8('κόσμε')));
    conforms('with a reason that is none', '(1007)', closing(1000, $_->[0]))
        for @BAD;
    conforms('with half a character', '(1007)', closing(1000, "ab\xce"));
    conforms('no UTF-8 with a new code', '(1007)', closing(1013, "\xff"));
    conforms('a reason with a new code', '(1013)', closing(1013, 'later'));
    my $frame = closing(1000, encode_utf8('κόσμε€😀ß'));
    for my $size (2 .. 9) {
        is(answers(socket_to(), 0.0002, $frame =~ /(.{1,$size})/gs), '(1000)',
            "a reason in pieces of $size bytes");
    }
    conforms("with $_", "($_)", closing($_)) for 1000 .. 1003, 1007 .. 1014,
        3000, 3999, 4000, 4999;
    conforms("with $_", '(1002)', closing($_)) for 0, 1, 999, 1004 .. 1006,
        1015, 1016, 1100, 2000, 2999, 5000, 65535;

    my $ws = socket_to();
    $ws->send_close(4321, 'because');
    is($ws->recv_frame->{data}, pack('n', 4321) . 'because',
        'the answer is what was said');
    is($ws->recv_frame, undef, 'and the last frame');
    ok($ws->{eof}, 'the server ends the connection');
    $ws = socket_to();
    $ws->half_close;
    is(answers($ws, 0), '', 'an end without a Close is no message');
};


# The cap: 64k + 2 x (64k + 16m + 1m).
my $CAP = 65536 + 2 * (65536 + 16 * 1048576 + 1048576);

subtest 'sizes' => sub {
    for my $size (65536, 1 << 20, 4 << 20) {
        my $data = join '', map { pack 'N', $_ } 1 .. $size / 4;
        my $answer = "B$size:" . sha256_hex($data);
        is(answers(socket_to(), 0, bin($data), closing(1000)),
            "$answer (1000)", "$size bytes");
        is(answers(socket_to(), 0, fragments(2, $data =~ /(.{1,4096})/gs),
            closing(1000)), "$answer (1000)", 'in fragments of 4096');
        next if $size > 1 << 20;
        is(answers(socket_to(), 0, bin($data) =~ /(.{1,1000})/gs,
            closing(1000)), "$answer (1000)", 'in pieces of 1000');
        is(answers(socket_to(), 0, join('', fragments(2,
            $data =~ /(.{1,64})/gs), closing(1000))),
            "$answer (1000)", 'in fragments of 64');
    }
    for my $frame (\&text, \&bin) {
        is(answers(socket_to(), 0, $frame->('', length => $CAP + 1)), '(1009)',
            'more than the cap');
        is(answers(socket_to(), 0, $frame->('x' x ($CAP - 9), fin => 0),
            more('', length => 10, fin => 0)), '(1009)',
            'more than the cap in fragments');
    }
    my $ws = socket_to();
    my $rounds = 0;
    for (1 .. 500) {
        $ws->send_frame("round $_");
        $rounds++ if ($ws->recv_frame // {})->{data} eq "round $_";
    }
    is($rounds, 500, 'many round trips');
};

$nginx->finish;
done_testing();
