package Codr::Follow;

# A client with a bad line: it follows a job through any number of broken
# connections, attaching again where its output ended.

use strict;
use warnings;

use Codr::Client;
use Encode qw(encode);
use JSON::PP ();

# What a program is to write: [stream, bytes] in order.  Characters of up to
# four bytes are cut, and lie across output of the other stream.
sub pieces {
    my ($lines) = @_;
    my @pieces;
    for my $i (0 .. $lines - 1) {
        my $line = encode('UTF-8', "$i \x{e9}\x{20ac}\x{1f600} " . $i * $i
            . "\n");
        my $stream = $i % 4 ? 1 : 2;
        my $cut = $i % length $line;
        push @pieces, [ $stream, substr $line, 0, $cut ] if $cut;
        push @pieces, [ 3 - $stream, encode('UTF-8', "\x{20ac}") ]
            if $i % 3 == 0;
        push @pieces, [ $stream, substr $line, $cut ];
    }
    return @pieces;
}

# All of it, by stream.
sub text {
    my @text = ('', '');
    $text[ $_->[0] - 1 ] .= $_->[1] for @_;
    return @text;
}

# An execute that writes them, with a pause after each so many.
sub message {
    my ($every, @pieces) = @_;
    my $data = join "\n", map { "$_->[0] " . unpack 'H*', $_->[1] } @pieces;
    return (language => 'python', tty => JSON::PP::false,
        detach => JSON::PP::true,
        files => [ { name => 'main.py', content => <<"END" },
import os, time
for n, line in enumerate(open('data')):
    stream, data = line.split()
    os.write(int(stream), bytes.fromhex(data))
    if n % $every == 0:
        time.sleep(0.001)
END
            { name => 'data', content => $data } ]);
}

# Runs it.  Options: drops (how often the line breaks), reload (called after
# each so many), ws (options of each connection).  Answers
#
#     { text => [ stdout, stderr ], gaps, drops, complete, error }
#
# where text is UTF-8 and gaps counts messages that did not begin where the
# one before ended.
sub follow {
    my ($nginx, $message, %o) = @_;
    my %got = (text => [ '', '' ], end => 0, gaps => 0, drops => 0);
    my $ws = $nginx->ws(%{ $o{ws} // {} });
    my $first = $ws;
    $ws->send(type => 'execute', %{$message});
    until ($got{complete} || $got{error}) {
        _listen($ws, \%got, $o{drops} > $got{drops} ? 1 + rand 4 : undef);
        last if $got{complete} || $got{error};
        $ws->drop;
        $got{drops}++;
        $o{every}->($got{drops}) if $o{every};
        $ws = $nginx->ws(%{ $o{ws} // {} });
        $ws->send(type => 'attach', job_id => $got{started}{job_id},
            attach_token => $got{started}{attach_token},
            offset => $got{end});
    }
    return \%got;
}

# So many messages of output, or all there are.
sub _listen {
    my ($ws, $got, $count) = @_;
    while (!defined $count || $count-- > 0) {
        my $m = $ws->recv(30);
        if ($m->{type} eq 'output') {
            _take($got, $m->{stream} eq 'stderr', encode('UTF-8', $m->{data}),
                $m->{offset}, $m->{end});
        } elsif ($m->{type} eq '(binary)') {
            my ($stream, $bytes) = unpack 'Ca*', $m->{data};
            _take($got, $stream == 2, $bytes, $got->{end},
                $got->{end} + length $bytes);
        } elsif ($m->{type} eq 'started') {
            $got->{started} //= $m;
            $got->{gaps}++ if ($m->{offset} // 0) != $got->{end};
            $count++ if defined $count;
        } elsif ($m->{type} eq 'stage') {
            $count++ if defined $count;
        } elsif ($m->{type} eq 'complete') {
            $got->{complete} = $m;
            return;
        } else {
            $got->{error} = $m;
            return;
        }
    }
}

sub _take {
    my ($got, $stream, $bytes, $offset, $end) = @_;
    $got->{text}[$stream] .= $bytes;
    $got->{gaps}++ if $offset != $got->{end};
    $got->{end} = $end;
}

1;
