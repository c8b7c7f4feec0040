package Codr::Control;

# Programs run outside of any sandbox, as the controls of attacks: the same
# program that must fail in a job must do harm here, or the attack proves
# nothing.  Controls run beside the jobs they belong to, each in a process
# group of its own that ends with the control, in a directory of its own, for
# seconds at most.

use strict;
use warnings;

use Codr::Host qw(slurp spew wait_until);
use Codr::Nginx;
use POSIX qw(:sys_wait_h);

my %running;

# Starts one: language (python, c), its code; seconds it may take at most (60).
sub new {
    my ($class, $language, $code, %o) = @_;
    my $dir = Codr::Nginx::dir();
    my $self = bless { dir => $dir, owner => $$ }, $class;
    my @command = ('/usr/bin/python3', "$dir/main.py");
    spew("$dir/main.$_", $code) for $language eq 'c' ? 'c' : 'py';
    if ($language eq 'c') {
        system('/usr/bin/gcc', '-w', '-o', "$dir/main", "$dir/main.c",
            '-pthread') == 0 or die "control: gcc failed\n";
        @command = ("$dir/main");
    }
    mkdir "$dir/box" or die "$dir/box: $!";
    chmod 0777, "$dir/box";
    $self->{pid} = fork() // die "fork: $!";
    if ($self->{pid} == 0) {
        setpgrp;
        chdir "$dir/box" or POSIX::_exit(126);
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', "$dir/out";
        open STDERR, '>', "$dir/err";
        alarm($o{seconds} // 60);
        exec @command or POSIX::_exit(127);
    }
    setpgrp $self->{pid}, $self->{pid};     # whoever of both comes first
    $running{ $self->{pid} } = 1;
    return $self;
}

# What it has printed up to now.
sub said { return slurp("$_[0]{dir}/out") }

sub is_running {
    my ($self) = @_;
    return if defined $self->{status};
    return 1 if waitpid($self->{pid}, WNOHANG) == 0;
    $self->{status} = $?;
    return;
}

# What it has used, while it runs.
sub cpu_seconds {
    my ($self) = @_;
    my @stat = split ' ', slurp("/proc/$self->{pid}/stat") =~ s/^.*\)//sr;
    return ($stat[11] + $stat[12]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# Waits for its end; what it has printed.
sub finish {
    my ($self) = @_;
    wait_until(20, sub { !$self->is_running });
    $self->stop;
    return $self->said;
}

# Ends it and all that it has left in its group.
sub stop {
    my ($self) = @_;
    return if $self->{owner} != $$ || !delete $running{ $self->{pid} };
    kill 'KILL', -$self->{pid};
    waitpid $self->{pid}, 0 if !defined $self->{status};
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!);
    $self->stop;
}

1;
