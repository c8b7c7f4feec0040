package Codr::H2;

# A client that speaks HTTP/2 from the first byte, on a raw socket, with as
# many streams as wanted: frames are sent when the test says so, and windows
# opened only as far as it says.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(slow);
use IO::Select;
use IO::Socket::INET;
use Time::HiRes ();

use constant {
    DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4, PING => 6,
    GOAWAY => 7, WINDOW_UPDATE => 8, ACK => 1, END_STREAM => 1,
    END_HEADERS => 4, CANCEL => 8,
};

# Options: port; window (what a stream may be sent before it is given more).
sub connect {
    my ($class, %o) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$o{port}")
        or die "connect to $o{port}: $!";
    binmode $s;
    my $self = bless { s => $s, buf => '', next => 1, streams => {} }, $class;
    $self->write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        . frame(SETTINGS, 0, 0, pack 'nN', 4, $o{window} // 1 << 30)
        . frame(WINDOW_UPDATE, 0, 0, pack 'N', 1 << 30));
    return $self;
}

sub drop { close delete $_[0]{s} if $_[0]{s} }

sub frame {
    my ($type, $flags, $stream, $payload) = @_;
    my $length = length $payload;
    return pack('CnCCN', $length >> 16, $length & 0xffff, $type, $flags,
        $stream) . $payload;
}

# Whether all of it was taken.
sub write {
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    while (length $bytes) {
        my $n = syswrite $self->{s}, $bytes or return 0;
        substr $bytes, 0, $n, '';
    }
    return 1;
}

# A header that no table is needed for.
sub _header {
    return join '', "\0", map { chr(length) . $_ } @_;
}

# The frames of a request, and the number of its stream.  Options: method,
# path, headers (a list of pairs), body (undef: it is still to come, if at all)
sub request_frames {
    my ($self, %o) = @_;
    my $id = $self->{next};
    $self->{next} += 2;
    $self->{streams}{$id} = { body => '' };
    my $method = $o{method} // 'GET';
    my $bytes = frame(HEADERS, END_HEADERS | ($method eq 'GET' && END_STREAM),
        $id, join '', _header(':method', $method), _header(':scheme', 'http'),
        _header(':authority', 'localhost'), _header(':path', $o{path}),
        map { _header(@{$_}) } @{ $o{headers} // [] });
    $bytes .= frame(DATA, END_STREAM, $id, $o{body}) if defined $o{body};
    return ($bytes, $id);
}

# Sends a request; returns its stream, also known to stream().
sub request {
    my ($self, %o) = @_;
    my ($bytes, $id) = $self->request_frames(%o);
    $self->write($bytes);
    return $id;
}

# A job as a POST: options of the message, and path, accept.
sub job_frames {
    my ($self, %message) = @_;
    my $path = delete $message{path} // '/run';
    my $accept = delete $message{accept} // 'application/json';
    return $self->request_frames(method => 'POST', path => $path,
        headers => [ [ 'content-type', 'application/json' ],
            [ 'accept', $accept ] ],
        body => Codr::Client::encode(\%message));
}

sub job {
    my ($self, %message) = @_;
    my ($bytes, $id) = $self->job_frames(%message);
    $self->write($bytes);
    return $id;
}

sub data {
    my ($self, $id, $bytes, $end) = @_;
    return $self->write(frame(DATA, $end ? END_STREAM : 0, $id, $bytes));
}

sub reset_stream {
    my ($self, $id) = @_;
    return $self->write(frame(RST_STREAM, 0, $id, pack 'N', CANCEL));
}

# Lets so many more bytes come on a stream.
sub open_window {
    my ($self, $id, $bytes) = @_;
    return $self->write(frame(WINDOW_UPDATE, 0, $id, pack 'N', $bytes));
}

# What is known of a stream: { status, body, ended, reset }.
sub stream { return $_[0]{streams}{ $_[1] } }

# Takes what there is; false when the connection is over.
sub take {
    my ($self, $timeout) = @_;
    return 1 if !IO::Select->new($self->{s})->can_read($timeout // 0);
    sysread $self->{s}, $self->{buf}, 1 << 20, length $self->{buf} or return 0;
    while (length $self->{buf} >= 9) {
        my ($high, $low, $type, $flags, $id) = unpack 'CnCCN', $self->{buf};
        my $length = ($high << 16) + $low;
        last if length $self->{buf} < 9 + $length;
        $self->_frame($type, $flags, $id & 0x7fffffff,
            substr $self->{buf}, 9, $length);
        substr $self->{buf}, 0, 9 + $length, '';
    }
    return 1;
}

my %STATUS = (8 => 200, 9 => 204, 12 => 400, 13 => 404, 14 => 500);

sub _frame {
    my ($self, $type, $flags, $id, $payload) = @_;
    my $stream = $self->{streams}{$id} // {};
    if ($type == HEADERS) {
        $payload =~ s/^[\x20-\x3f]+//;          # sizes of the table
        my $first = ord $payload;
        $stream->{status} = $first & 0x80 ? $STATUS{ $first & 0x7f }
            : substr $payload, 2, 3;
    } elsif ($type == DATA) {
        $stream->{body} .= $payload;
    } elsif ($type == RST_STREAM) {
        $stream->{reset} = unpack 'N', $payload;
    } elsif ($type == SETTINGS && !($flags & ACK)) {
        $self->write(frame(SETTINGS, ACK, 0, ''));
    } elsif ($type == PING && !($flags & ACK)) {
        $self->write(frame(PING, ACK, 0, $payload));
    } elsif ($type == GOAWAY) {
        $self->{goaway} = 1;
    }
    $stream->{ended} = 1 if $type <= HEADERS && $flags & END_STREAM;
}

# Takes what comes until it is true, or the connection or the time is over.
sub until {
    my ($self, $seconds, $true) = @_;
    my $end = Time::HiRes::time() + $seconds * slow();
    for (;;) {
        my $value = $true->();
        return $value if $value;
        return if Time::HiRes::time() > $end || !$self->take(0.05);
    }
}

# A stream that has its answer: status, and body as it is and as JSON.
sub answer {
    my ($self, $id, $seconds) = @_;
    my $stream = $self->stream($id);
    $self->until($seconds // 30,
        sub { $stream->{ended} || defined $stream->{reset} });
    return { status => $stream->{status} // 0, body => $stream->{body},
        json => Codr::Client::decode($stream->{body}) // {} };
}

1;
