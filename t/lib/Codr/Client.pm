package Codr::Client;

# A WebSocket and HTTP client for tests, on raw sockets: what it sends is what
# the test says, right or wrong.

use strict;
use warnings;

use Codr::Deflate;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Socket;
use Time::HiRes ();

our $TIMEOUT = 10;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub encode { return $json->encode($_[0]) }
sub decode { return eval { $json->decode($_[0]) } }


# Connections.  Options: port; tls; from (an address); room (bytes that the
# kernel takes for us before we read).

sub connect {
    my ($class, %o) = @_;
    my $self = bless { buf => '', seen => [] }, $class;
    if ($o{tls}) {
        $self->_connect_tls($o{port});
    } else {
        my $s = $self->{s} = IO::Socket::INET->new(Proto => 'tcp',
            $o{from} ? (LocalAddr => $o{from}) : ()) or die "socket: $!";
        setsockopt $s, SOL_SOCKET, SO_RCVBUF, $o{room} if $o{room};
        $s->connect(pack_sockaddr_in($o{port}, INADDR_LOOPBACK))
            or die "connect to $o{port}: $!";
    }
    binmode $self->{s};
    return $self;
}

sub _connect_tls {
    my ($self, $port) = @_;
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!";
    $self->{tls} = fork // die "fork: $!";
    if ($self->{tls} == 0) {
        CORE::open STDIN,  '<&', $theirs or die;
        CORE::open STDOUT, '>&', $theirs or die;
        CORE::open STDERR, '>', '/dev/null' or die;
        exec 'openssl', 's_client', '-quiet', '-connect', "127.0.0.1:$port"
            or POSIX::_exit(127);
    }
    close $theirs;
    $self->{s} = $ours;
}

# Closes the connection, without a closing handshake.
sub drop {
    my ($self) = @_;
    close delete $self->{s} if $self->{s};
    if (my $pid = delete $self->{tls}) {
        kill TERM => $pid;
        local $?;
        waitpid $pid, 0;
    }
}

sub DESTROY { $_[0]->drop }

# Ends our half: the peer reads an end of file.
sub half_close { shutdown $_[0]{s}, 1 }


# Bytes.

# Writes all of it, unless the peer has gone or takes nothing for the time:
# returns the number of bytes written.
sub write {
    my ($self, $bytes, $timeout) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $done = 0;
    my $select = IO::Select->new($self->{s});
    my $end = Time::HiRes::time() + ($timeout // $TIMEOUT);
    $self->{s}->blocking(0);
    while ($done < length $bytes) {
        my $left = $end - Time::HiRes::time();
        last if $left <= 0;
        $select->can_write($left) or last;
        my $n = syswrite $self->{s}, $bytes, 65536, $done;
        next if !defined $n && $!{EAGAIN};
        last unless defined $n;
        $done += $n;
    }
    $self->{s}->blocking(1);
    return $done;
}

# Reads what is there into the buffer: 1, 0 at the end of file, undef at the
# end of time.
sub fill {
    my ($self, $timeout) = @_;
    return 0 unless $self->{s};
    my $left = $timeout // $TIMEOUT;
    IO::Select->new($self->{s})->can_read($left > 0 ? $left : 0) or return;
    my $n = sysread $self->{s}, $self->{buf}, 1 << 20, length $self->{buf};
    return $n ? 1 : 0;
}

sub _head {
    my ($self, $timeout) = @_;
    my $end = Time::HiRes::time() + ($timeout // $TIMEOUT);
    until ($self->{buf} =~ /\r\n\r\n/) {
        $self->fill($end - Time::HiRes::time()) or return;
    }
    $self->{buf} =~ s/^(.*?\r\n)\r\n//s;
    my ($first, @lines) = split /\r\n/, $1;
    my %headers;
    for (@lines) {
        my ($name, $value) = split /:\s*/, $_, 2;
        $headers{ lc $name } = exists $headers{ lc $name }
            ? "$headers{ lc $name }, $value" : $value;
    }
    my ($status) = $first =~ m{^HTTP/1\.\d (\d+)};
    return { status => $status, first => $first, headers => \%headers };
}


# HTTP.  Options: port, tls, method, path, headers (a list of lines), body,
# timeout.  Answers { status, headers, body, json, seconds }; status 0 when
# there was no answer.

sub request {
    my ($class, %o) = @_;
    my $self = $class->connect(%o);
    $self->send_request(%o);
    return $self->answer($o{timeout});
}

sub send_request {
    my ($self, %o) = @_;
    my $body = $o{body};
    $self->{start} = Time::HiRes::time();
    $self->write(join "\r\n",
        ($o{method} // 'GET') . ' ' . ($o{path} // '/') . ' HTTP/1.1',
        'Host: localhost', 'Connection: close',
        (defined $body ? 'Content-Length: ' . length $body : ()),
        @{ $o{headers} // [] }, '', $body // '');
}

sub answer {
    my ($self, $timeout) = @_;
    my $end = Time::HiRes::time() + ($timeout // $TIMEOUT);
    my $answer = $self->_head($timeout)
        // { status => 0, headers => {}, body => '' };
    while ($answer->{status}) {
        $self->fill($end - Time::HiRes::time()) or last;
    }
    my $body = $self->{buf};
    if (($answer->{headers}{'transfer-encoding'} // '') eq 'chunked') {
        my $whole = '';
        while ($body =~ s/^([0-9a-fA-F]+)\r\n//) {
            $whole .= substr $body, 0, hex $1, '';
            $body =~ s/^\r\n//;
        }
        $body = $whole;
    }
    $answer->{body} = $body;
    $answer->{json} = decode($body) if length $body;
    $answer->{seconds} = Time::HiRes::time() - $self->{start};
    return $answer;
}


# WebSocket.  Options: port, tls, path, headers (a list of lines), protocols
# (a list), key, version, early (bytes sent with the request), timeout.
# {status} is 101 when it stands.

sub open {
    my ($class, %o) = @_;
    my $self = $class->connect(%o);
    my $key = $o{key} // encode_base64(pack('N4', map { rand 2**32 } 1 .. 4),
        '');
    $self->write(join "\r\n", 'GET ' . ($o{path} // '/run') . ' HTTP/1.1',
        'Host: localhost', 'Upgrade: websocket', 'Connection: Upgrade',
        'Sec-WebSocket-Version: ' . ($o{version} // 13),
        "Sec-WebSocket-Key: $key",
        ($o{protocols} ? 'Sec-WebSocket-Protocol: '
            . join ', ', @{ $o{protocols} } : ()),
        @{ $o{headers} // [] }, '', $o{early} // '');
    my $head = $self->_head($o{timeout}) // {};
    $self->{status} = $head->{status} // 0;
    $self->{headers} = $head->{headers} // {};
    return $self;
}

# A frame's bytes.  Options: op (1), fin (1), rsv (0), mask (1), length (as it
# is announced, when it is to be a lie).
sub frame {
    my ($self, $data, %o) = @_;
    my $length = $o{length} // length $data;
    my $mask = ($o{mask} // 1) ? 0x80 : 0;
    my $bytes = pack 'C', (($o{fin} // 1) ? 0x80 : 0) | (($o{rsv} // 0) << 4)
        | ($o{op} // 1);
    $bytes .= $length < 126 ? pack('C', $mask | $length)
        : $length < 65536 ? pack('Cn', $mask | 126, $length)
        : pack('CQ>', $mask | 127, $length);
    return $bytes . $data unless $mask;
    my $key = pack 'N', rand 2**32;
    return $bytes . $key
        . ($data ^ substr $key x (1 + length($data) / 4), 0, length $data);
}

sub send_frame {
    my ($self, $data, %o) = @_;
    return $self->write($self->frame($data, %o), $o{timeout});
}

# A message: a hash as JSON.
sub send {
    my ($self, %message) = @_;
    return $self->send_frame(encode(\%message));
}

sub send_close {
    my ($self, $code, $reason) = @_;
    $self->send_frame(defined $code ? pack('n', $code) . ($reason // '') : '',
        op => 8);
}

# The next frame { op, fin, rsv, masked, data }, or undef: {eof} says whether
# the connection ended.
sub recv_frame {
    my ($self, $timeout) = @_;
    my $end = Time::HiRes::time() + ($timeout // $TIMEOUT);
    for (;;) {
        my $frame = $self->_parse;
        return $frame if $frame;
        my $got = $self->fill($end - Time::HiRes::time());
        return unless defined $got;
        if (!$got) {
            $self->{eof} = 1;
            return;
        }
    }
}

sub _parse {
    my ($self) = @_;
    return if length $self->{buf} < 2;
    my ($first, $second) = unpack 'CC', $self->{buf};
    my ($at, $length) = (2, $second & 127);
    if ($length == 126) {
        return if length $self->{buf} < 4;
        ($at, $length) = (4, unpack 'x2n', $self->{buf});
    } elsif ($length == 127) {
        return if length $self->{buf} < 10;
        ($at, $length) = (10, unpack 'x2Q>', $self->{buf});
    }
    return if length $self->{buf} < $at + $length;
    my $data = substr $self->{buf}, $at, $length;
    substr $self->{buf}, 0, $at + $length, '';
    return { fin => $first >> 7, rsv => ($first >> 4) & 7, op => $first & 15,
        masked => $second >> 7, data => $data };
}

# The next message as a hash.  Pings are answered.  What is no message comes as
# one: type "(close)" with code and reason, "(eof)", "(timeout)", "(binary)".
sub recv {
    my ($self, $timeout) = @_;
    my $end = Time::HiRes::time() + ($timeout // $TIMEOUT);
    for (;;) {
        my $frame = $self->recv_frame($end - Time::HiRes::time());
        return { type => $self->{eof} ? '(eof)' : '(timeout)' } unless $frame;
        my ($op, $data) = @{$frame}{qw(op data)};
        $data = Codr::Deflate::unpacked($data) if $frame->{rsv} == 4;
        if ($op == 1) {
            my $message = decode($data);
            die "not a message: $data" unless ref $message eq 'HASH';
            $message->{at} = Time::HiRes::time();
            push @{ $self->{seen} }, $message;
            return $message;
        }
        return { type => '(binary)', data => $data } if $op == 2;
        return { type => '(close)',
            code => length $data >= 2 ? unpack('n', $data) : 1005,
            reason => length $data > 2 ? substr($data, 2) : '' } if $op == 8;
        $self->send_frame($data, op => 10) if $op == 9;
    }
}

# Reads until a message of the type (a name or a regex); returns it, or what
# came instead of it: "(close)", "(eof)", "(timeout)".
sub wait_for {
    my ($self, $type, $timeout) = @_;
    my $end = Time::HiRes::time() + ($timeout // $TIMEOUT);
    for (;;) {
        my $message = $self->recv($end - Time::HiRes::time());
        return $message if ref $type ? $message->{type} =~ $type
            : $message->{type} eq $type;
        return $message if $message->{type} =~ /^\((?:close|eof|timeout)\)$/;
    }
}

# Jobs.

sub execute {
    my ($self, %message) = @_;
    $self->{output} = '';
    $self->{job} = [];
    return $self->send(type => 'execute', %message);
}

# Reads output until it matches; true when it does, false at the end of the job
# or of the time.  What matched, and all before it, is taken off.
sub expect {
    my ($self, $pattern, $timeout) = @_;
    my $end = Time::HiRes::time() + ($timeout // $TIMEOUT);
    for (;;) {
        return 1 if $self->{output} =~ s/^.*?$pattern//s;
        my $message = $self->_job_message($end - Time::HiRes::time());
        return 0 if _is_end($message);
    }
}

sub input {
    my ($self, $data) = @_;
    return $self->send(type => 'input', data => $data);
}

# Everything up to the end of the job.  Answers
#   { messages, stdout, stderr, end, complete, error, started, notices, stages }
sub finish {
    my ($self, $timeout) = @_;
    my $end = Time::HiRes::time() + ($timeout // 30);
    1 until _is_end(my $m = $self->_job_message($end - Time::HiRes::time()));
    my @messages = @{ $self->{job} };
    my %job = (messages => \@messages, stdout => '', stderr => '',
        end => $messages[-1]{type}, notices => [], stages => []);
    for (@messages) {
        $job{ $_->{stream} } .= $_->{data} if $_->{type} eq 'output';
        $job{ $_->{type} } = $_ if $_->{type} =~ /^(complete|error|started)$/;
        push @{ $job{notices} }, $_ if $_->{type} eq 'notice';
        push @{ $job{stages} }, $_->{stage} if $_->{type} eq 'stage';
    }
    $job{status} = $job{complete} ? $job{complete}{status}
        : $job{error} ? $job{error}{code} : $job{end};
    return \%job;
}

# A whole job: options of the message, and timeout (seconds).
sub run_job {
    my ($self, %message) = @_;
    my $timeout = delete $message{timeout};
    $self->execute(%message);
    return $self->finish($timeout);
}

sub _is_end {
    return $_[0]{type} =~ /^(?:complete|error|\((?:close|eof|timeout)\))$/;
}

sub _job_message {
    my ($self, $timeout) = @_;
    my $message = $self->{job} && @{ $self->{job} }
        && _is_end($self->{job}[-1]) ? $self->{job}[-1] : undef;
    return $message if $message;
    $message = $self->recv($timeout);
    push @{ $self->{job} }, $message;
    $self->{output} .= $message->{data} if $message->{type} eq 'output';
    return $message;
}

1;
