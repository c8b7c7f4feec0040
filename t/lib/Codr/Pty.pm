package Codr::Pty;

# A command on a terminal of its own, as a person at it: what it shows, what
# is typed, the size.

use strict;
use warnings;

use Codr::Host qw(wait_until);
use Fcntl qw(O_NOCTTY O_NONBLOCK O_RDWR);
use POSIX ();

my ($TIOCSPTLCK, $TIOCGPTN, $TIOCSCTTY, $TIOCSWINSZ) =
    (0x40045431, 0x80045430, 0x540e, 0x5414);

sub start {
    my ($class, @command) = @_;
    sysopen my $master, '/dev/ptmx', O_RDWR | O_NOCTTY or die "ptmx: $!";
    my $number = pack 'i', 0;
    ioctl $master, $TIOCSPTLCK, $number or die "unlock: $!";
    ioctl $master, $TIOCGPTN, $number or die "number: $!";
    my $self = bless { master => $master, shown => '' }, $class;
    $self->size(100, 30);
    my $path = '/dev/pts/' . unpack 'i', $number;
    $self->{pid} = fork // die "fork: $!";
    if ($self->{pid} == 0) {
        POSIX::setsid();
        open my $slave, '+<', $path or POSIX::_exit(126);
        ioctl $slave, $TIOCSCTTY, 0;
        open STDIN,  '<&', $slave;
        open STDOUT, '>&', $slave;
        open STDERR, '>&', $slave;
        exec @command or POSIX::_exit(127);
    }
    fcntl $master, Fcntl::F_SETFL(), O_NONBLOCK;
    return $self;
}

sub size {
    my ($self, $cols, $rows) = @_;
    my $size = pack 'S4', $rows, $cols, 0, 0;
    ioctl $self->{master}, $TIOCSWINSZ, $size or die "size: $!";
}

sub type {
    my ($self, $keys) = @_;
    syswrite $self->{master}, $keys;
}

# True when what was shown since the last match matches.
sub shows {
    my ($self, $pattern, $seconds) = @_;
    return wait_until($seconds // 60, sub {
        $self->_read;
        return $self->{shown} =~ s/^.*?$pattern//s;
    });
}

sub _read {
    my ($self) = @_;
    while (sysread $self->{master}, my $bytes, 65536) {
        $self->{shown} .= $bytes;
    }
}

# Its exit status, or undef when it does not end.
sub ends {
    my ($self, $seconds) = @_;
    my $ended = wait_until($seconds // 60, sub {
        $self->_read;
        local $?;
        return if waitpid($self->{pid}, POSIX::WNOHANG()) != $self->{pid};
        $self->{status} = $?;
        return 1;
    });
    delete $self->{pid} if $ended;
    return $ended ? $self->{status} >> 8 : undef;
}

sub DESTROY {
    my ($self) = @_;
    return unless $self->{pid};
    local $?;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
}

1;
