package Codr::Redis;

# A redis-server of a test's own, and a client on a raw socket; or a server
# that answers as the test says, right or wrong.

use strict;
use warnings;

use Codr::Host qw(slurp spew wait_until);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes ();

my $SERVER = '/usr/bin/redis-server';

sub installed { return -x $SERVER }

# Options: lines of its configuration.
sub new {
    my ($class, @lines) = @_;
    my $dir = tempdir('codr-redis-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;
    my $self = bless { dir => $dir, lines => \@lines, owner => $$ }, $class;
    return $self->start;
}

sub path { return "$_[0]{dir}/redis.sock" }
sub pid  { return $_[0]{pid} }

# As an argument of codr_redis.
sub address { return 'unix:' . $_[0]->path }

sub start {
    my ($self) = @_;
    spew("$self->{dir}/redis.conf", join "\n", 'port 0', 'save ""',
        "dir $self->{dir}", 'unixsocket ' . $self->path,
        'unixsocketperm 777', 'daemonize no', @{ $self->{lines} }, '');
    $self->{pid} = fork // die "fork: $!";
    if ($self->{pid} == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{dir}/log";
        open STDERR, '>&', \*STDOUT;
        exec $SERVER, "$self->{dir}/redis.conf" or POSIX::_exit(127);
    }
    wait_until(15, sub { IO::Socket::UNIX->new(Peer => $self->path) })
        or die 'redis did not start: ' . slurp("$self->{dir}/log");
    return $self;
}

sub signal { kill $_[1] => $_[0]{pid} }

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    local $?;
    kill CONT => $pid;
    kill KILL => $pid;
    waitpid $pid, 0;
    unlink $self->path;
}

sub DESTROY { $_[0]->stop if $_[0]{owner} == $$ }


# A client of it.

sub client {
    my ($self) = @_;
    my $s = IO::Socket::UNIX->new(Peer => $self->path) or die "redis: $!";
    return bless { s => $s, buf => '' }, 'Codr::Redis::Client';
}

# One command and its answer: a scalar, a list reference, or "-ERROR ...".
sub ask {
    my ($self, @words) = @_;
    return $self->client->ask(@words);
}

# A hash.
sub hash {
    my ($self, $key) = @_;
    return { @{ $self->ask('HGETALL', $key) } };
}


# A server that is none: each connection gets what the code says of what it has
# sent so far (bytes to answer, or undef to close); a process of its own.
sub fake {
    my ($class, $code) = @_;
    return $class->fake_later(sub {
        my ($s, $bytes) = @_;
        my $answer = $code->($bytes) // return 'close';
        syswrite $s, $answer;
        return;
    });
}

# One that answers by itself: the code is called with the socket and what has
# come, or without, and says when it wants to be called again, or "close".
sub fake_later {
    my ($class, $code) = @_;
    my $dir = tempdir('codr-redis-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;
    my $self = bless { dir => $dir, lines => [], owner => $$ }, $class;
    my $listener = IO::Socket::UNIX->new(Local => $self->path, Listen => 16)
        or die "listen: $!";
    chmod 0777, $self->path;
    $self->{pid} = fork // die "fork: $!";
    return $self if $self->{pid};
    $SIG{PIPE} = 'IGNORE';
    _serve($listener, $code);
}

sub _serve {
    my ($listener, $code) = @_;
    my $select = IO::Select->new($listener);
    my %due;    # socket => [ when it wants to be called, itself ]
    for (;;) {
        my ($first) = sort { $a <=> $b } map { $_->[0] } values %due;
        my $left = defined $first ? $first - Time::HiRes::time() : undef;
        my @calls;
        for my $s ($select->can_read(defined $left && $left < 0 ? 0 : $left)) {
            if ($s == $listener) {
                $select->add(scalar $listener->accept);
                next;
            }
            my $n = sysread $s, my $bytes, 65536;
            push @calls, [ $s, $n ? $bytes : undef ];
        }
        my @ended = map { $_->[0] } grep { !defined $_->[1] } @calls;
        @calls = grep { defined $_->[1] } @calls;
        push @calls, map { [ $_->[1] ] }
            grep { $_->[0] <= Time::HiRes::time() } values %due;
        for (@calls) {
            my ($s) = @{$_};
            delete $due{$s};
            my $when = $code->(@{$_}) // next;
            if ($when eq 'close') {
                push @ended, $s;
            } else {
                $due{$s} = [ $when, $s ];
            }
        }
        for my $s (@ended) {
            delete $due{$s};
            $select->remove($s);
            close $s;
        }
    }
}


package Codr::Redis::Client;

sub send {
    my ($self, @words) = @_;
    syswrite $self->{s}, '*' . @words . "\r\n"
        . join '', map { '$' . length($_) . "\r\n$_\r\n" } @words;
}

sub ask {
    my ($self, @words) = @_;
    $self->send(@words);
    return $self->reply;
}

# The next answer or message; undef when none comes in time.
sub reply {
    my ($self, $timeout) = @_;
    $self->{end} = Time::HiRes::time() + ($timeout // 10);
    return $self->_reply;
}

sub _line {
    my ($self) = @_;
    until ($self->{buf} =~ /\r\n/) {
        $self->_fill or return;
    }
    $self->{buf} =~ s/^(.*?)\r\n//s;
    return $1;
}

sub _fill {
    my ($self) = @_;
    my $left = $self->{end} - Time::HiRes::time();
    IO::Select->new($self->{s})->can_read($left > 0 ? $left : 0) or return;
    return sysread $self->{s}, $self->{buf}, 65536, length $self->{buf};
}

sub _reply {
    my ($self) = @_;
    my $line = $self->_line // return;
    my ($type, $rest) = $line =~ /^(.)(.*)/s;
    return "-$rest" if $type eq '-';
    return $rest if $type ne '$' && $type ne '*';
    return if $rest < 0;
    return [ map { $self->_reply } 1 .. $rest ] if $type eq '*';
    while (length $self->{buf} < $rest + 2) {
        $self->_fill or return;
    }
    my $data = substr $self->{buf}, 0, $rest, '';
    substr $self->{buf}, 0, 2, '';
    return $data;
}

1;
