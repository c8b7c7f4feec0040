# What t/module/conformance.t and deflate.t have in small, whole: messages up
# to 16 MB in fragments and pieces of all sizes, the cap to a byte, every code
# point, and compressed messages of every size by every kind of offer.

use strict;
use warnings;

use Codr::Client;
use Codr::Deflate qw(packed unpacked);
use Codr::Host qw(need);
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(time);

need('module');

$Codr::Client::TIMEOUT = 60;

my $nginx = Codr::Nginx->new(echo => 1, http => 'codr_deflate on;',
    server => <<'CONF');
    location = /echo { codr_exec; codr_echo; codr_files 16m; }
    location = /cap { codr_exec; codr_echo; codr_code_size 64k;
                      codr_files 1m; codr_input 64k; }
CONF
my $CAP = 65536 + 2 * (65536 + (1 << 20) + 65536);
my $UNFOLDED = 32 << 20;    # bytes of a socket, which may have twice its cap

sub socket_to {
    my ($path, @offer) = @_;
    my $ws = $nginx->ws(path => $path, headers =>
        [ map {"Sec-WebSocket-Extensions: $_"} @offer ]);
    die "no echo: $ws->{status}" if $ws->{status} != 101;
    return $ws;
}

# Sends while it reads: what comes back may be more than sockets hold.
sub echoed {
    my ($ws, $op, $data, @writes) = @_;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        $ws->write($_) for @writes;
        require POSIX;
        POSIX::_exit(0);
    }
    my $frame = $ws->recv_frame // {};
    local $?;
    waitpid $pid, 0;
    return ($frame->{op} // 'nothing') . ' ' . (($frame->{data} // '') eq $data
        ? 'the same' : 'another ' . unpack 'H8', $frame->{data} // '');
}

sub fragments {
    my ($op, $size, $data) = @_;
    my @parts = unpack "(a$size)*", $data;
    return map { Codr::Client->frame($parts[$_], op => $_ ? 0 : $op,
        fin => $_ == $#parts) } 0 .. $#parts;
}


subtest 'large messages' => sub {
    for my $size (map { 1 << $_ } 16, 18, 20, 22, 23, 24) {
        for my $op (1, 2) {
            my $data = $op == 1 ? '*' x $size
                : join '', map { pack 'N', $_ * 2654435761 } 1 .. $size / 4;
            is(echoed(socket_to('/echo'), $op, $data,
                Codr::Client->frame($data, op => $op)), "$op the same",
                "$size bytes as $op");
        }
    }
    my $data = join '', map { pack 'N', $_ } 1 .. 1 << 20;
    for my $size (map { 1 << $_ } 6, 8, 10, 12, 14, 16, 18, 20, 22) {
        is(echoed(socket_to('/echo'), 2, $data, fragments(2, $size, $data)),
            '2 the same', "4 MB in fragments of $size");
    }
    $data = substr $data, 0, 1 << 20;
    for my $size (64, 128, 256, 512, 1024, 2048) {
        my $bytes = Codr::Client->frame($data, op => 2);
        is(echoed(socket_to('/echo'), 2, $data, $bytes =~ /(.{1,$size})/gs),
            '2 the same', "1 MB in pieces of $size");
    }
};


subtest 'the cap' => sub {
    for my $size ($CAP - 1, $CAP) {
        my $data = 'x' x $size;
        is(echoed(socket_to('/cap'), 1, $data, Codr::Client->frame($data)),
            '1 the same', "$size bytes");
        is(echoed(socket_to('/cap'), 1, $data, fragments(1, 65535, $data)),
            '1 the same', 'in fragments');
        my $ws = socket_to('/cap', 'permessage-deflate');
        $ws->send_frame(packed($data), rsv => 4);
        my $frame = $ws->recv_frame;
        is(length($frame->{rsv} ? unpacked($frame->{data})
            : $frame->{data}), $size, 'and compressed');
    }
    my $data = 'x' x ($CAP + 1);
    for ([ Codr::Client->frame($data), 'in one' ],
        [ join('', fragments(1, 65535, $data)), 'in fragments' ],
        [ Codr::Client->frame(packed($data), rsv => 4), 'compressed' ]) {
        my $ws = socket_to('/cap', 'permessage-deflate');
        $ws->write($_->[0], 5);
        my $frame = $ws->recv_frame // {};
        is(unpack('n', $frame->{data} // ''), 1009, "a byte more, $_->[1]");
    }
};


subtest 'every code point' => sub {
    my $ws = socket_to('/echo');
    my $wrong = 0;
    for my $plane (0 .. 16) {
        my $text = '';
        for my $code ($plane << 16 .. ($plane << 16) + 0xffff) {
            next if $code >= 0xd800 && $code <= 0xdfff;
            no warnings;
            $text .= chr $code;
        }
        utf8::encode($text);
        $wrong++ if echoed($ws, 1, $text, fragments(1, 997, $text))
            ne '1 the same';
    }
    is($wrong, 0, 'comes back');
    my @missed;
    for my $first (0x80 .. 0xff) {
        for my $second (0x00, 0x7f .. 0x81, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
            0xc0, 0xff) {
            my $bytes = chr($first) . chr $second;
            my $good = $first >= 0xc2 && $first <= 0xdf && $second >= 0x80
                && $second <= 0xbf;
            $ws = socket_to('/echo');
            $ws->write(Codr::Client->frame($bytes));
            my $frame = $ws->recv_frame // { op => 0, data => '' };
            my $got = $frame->{op} == 8 ? unpack 'n', $frame->{data} : 'good';
            push @missed, unpack('H*', $bytes) . " $got"
                if $got ne ($good ? 'good' : 1007);
        }
    }
    is("@missed", '', 'and two bytes that are none do not');
};


# Kinds of data: text, what is all alike, what does not get shorter.
my @words = map { join '', map { chr 97 + rand 26 } 1 .. 2 + rand 9 } 1 .. 999;
my %DATA = (
    words  => join(' ', map { $words[rand @words] } 1 .. 40_000),
    zeros  => '0' x 131_072,
    random => join('', map { chr 33 + rand 94 } 1 .. 131_072),
);

my @OFFERS = ('permessage-deflate', 'permessage-deflate; '
    . 'client_max_window_bits', 'permessage-deflate; server_max_window_bits=9',
    'permessage-deflate; server_max_window_bits=8; client_max_window_bits=8',
    'permessage-deflate; server_no_context_takeover',
    'permessage-deflate; server_no_context_takeover; '
        . 'server_max_window_bits=12', 'permessage-deflate; unknown, '
        . 'permessage-deflate; server_max_window_bits=15');

for my $offer (@OFFERS) {
    subtest $offer => sub {
        my ($bits) = $offer =~ /.*server_max_window_bits=(\d+)/;
        for my $size (16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536,
            131_072) {
            for my $kind (sort keys %DATA) {
                my $data = substr $DATA{$kind}, 0, $size;
                my $ws = socket_to('/echo', $offer);
                my $payload = packed($data, bits => 9 + $size % 7);
                my ($first, $wrong, $rounds) = (undef, 0, 0);
                my $end = time + 0.2;
                my $most = $UNFOLDED / $size;
                $most = 1000 if $most > 1000;
                while (!$wrong && $rounds++ < $most && time < $end) {
                    $ws->send_frame($payload, rsv => 4);
                    my $frame = $ws->recv_frame // { rsv => 0, data => '' };
                    $first //= $frame;
                    $wrong++ if $frame->{data} ne $first->{data};
                }
                my $got = $first->{rsv} ? unpacked($first->{data}, $bits)
                    : $first->{data};
                $wrong++ if ($got // '') ne $data;
                ok(!$wrong, "$size of $kind");
            }
        }
    };
}

$nginx->finish;
done_testing();
