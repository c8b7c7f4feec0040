package Codr::Hygiene;

# What must be as it was after every attack: the helper's processes, their
# threads, descriptors, memory and mounts, keys and processes of jobs; and a
# job of somebody else that ran beside it all and noticed nothing.

use strict;
use warnings;

use Codr::Host qw(slow slurp wait_until);
use JSON::PP ();
use Test::More;

my $RSS_KB = 16384;     # the heap of a process that has worked harder
my $CANARY = 2;         # processes: its init and itself

# Sandboxes that wait for a job come and go, with a terminal each.
my $WAITING = ($ENV{CODR_TEST_PATH} // 'cold') eq 'cold' ? 0 : 64;

# What a slot keeps: its network namespace with counters of it, what the next
# sandbox in it will need, files of its cgroups, and what tells of memory that
# ran out; and the compile cache, which keeps programs open.
my $SLOT = qr{^(?:net|mnt|ipc):|landlock-ruleset|^/sys/fs/cgroup/|eventfd
    |^/memfd:codr-program|^/proc/\d+/net/(?:snmp6?|sockstat)}x;

# A location for the canary, which lives longer than other jobs may.
sub location {
    return "location = /canary { codr_exec; codr_timeout 600s;"
        . " codr_ping 600s; }\n";
}

# Begins: what there is now, once it is steady, is what must be again.
sub new {
    my ($class, $nginx) = @_;
    my $self = bless { nginx => $nginx }, $class;

    # Slots keep what they have made, and an attack runs beside two others.
    my @warm = map { $nginx->ws } 1 .. 4;
    $_->execute(language => 'python', code => 'input()') for @warm;
    $_->wait_for('stage') for @warm;
    $_->input("\n") for @warm;
    $_->finish for @warm;

    $self->{canary} = $nginx->ws(path => '/canary');
    $self->{canary}->execute(language => 'python', tty => JSON::PP::false,
        limits => { cpu_time => 5 }, code => <<'END');
import sys
for line in sys.stdin:
    print("still", line, end="", flush=True)
END
    $self->{canary}->wait_for('stage');

    my $last = '';
    wait_until(10, sub {
        my $before = $last;
        return 0 if !$WAITING && $nginx->sandbox_processes > $CANARY;
        $self->{first} = $self->_look;
        $last = join ' ', map {"$_=$self->{first}{$_}"}
            grep { $_ ne 'rss' } sort keys %{ $self->{first} };
        return $last eq $before;
    });
    return $self;
}

sub _count {
    my @list = @_;
    return scalar @list;
}

# What a process holds open, but for what slots keep.
sub _kinds {
    my ($pid) = @_;
    return map {s/\d+|[\[\] ()]//gr} grep { $_ !~ $SLOT }
        map { readlink($_) // '' } glob "/proc/$pid/fd/*";
}

# How many descriptors of the helper are no slot's.
sub descriptors {
    my ($nginx) = @_;
    return _count(map { _kinds($_) } keys %{ $nginx->helpers });
}

# Figures that grow only by a leak.
sub _look {
    my ($self) = @_;
    my $nginx = $self->{nginx};
    my $helpers = $nginx->helpers;
    my %is = (helpers => join(',', sort values %{$helpers}), rss => 0,
        threads => 0, mounts => 0, blanks => 0);
    for my $pid (keys %{$helpers}) {
        my $status = slurp("/proc/$pid/status");
        $is{rss} += $1 if $status =~ /^VmRSS:\s+(\d+)/m;
        $is{threads} += $1 if $status =~ /^Threads:\s+(\d+)/m;
        $is{"descriptors $_"}++ for _kinds($pid);
        next if $helpers->{$pid} ne 'spawner';
        $is{mounts} += _count(split /\n/, slurp("/proc/$pid/mountinfo"));
        my %open;       # a slot has a network, and one of each at most
        $open{ /^(net|mnt|ipc|\S+ruleset|\S+\/(?:snmp6?|sockstat)\b)/
                ? $1 =~ s/\d+\///r : '' }++
            for map { readlink($_) // '' } glob "/proc/$pid/fd/*";
        for (grep { !/^(?:net)?$/ } keys %open) {
            my $more = $open{$_} - ($open{net} // 0);
            $is{blanks} = $more if $more > $is{blanks};
        }
    }
    my ($first, $last) = ($nginx->uid_base, $nginx->uid_base + 255);
    $is{keys} = grep { /^\s*(\d+):/ && $1 > $first && $1 <= $last }
        split /\n/, slurp('/proc/key-users');
    return \%is;
}

# One test: nothing of what has run is left, and the canary answers.
sub check {
    my ($self, $name) = @_;
    my ($first, $now, @more) = ($self->{first});
    wait_until(10, sub {
        $now = $self->_look;
        @more = map {"$_: $now->{$_}, was " . ($first->{$_} // 0)} grep {
            my $more = $_ eq 'rss' ? $RSS_KB : $WAITING;
            $_ eq 'helpers' ? !$WAITING && $now->{$_} ne $first->{$_}
                : $now->{$_} > ($first->{$_} // 0) + $more
        } sort keys %{$now};
        my @running = $WAITING ? $self->{nginx}->job_processes
            : $self->{nginx}->sandbox_processes;    # whatever its name
        push @more, "processes: @running" if @running > $CANARY;
        return !@more;
    });
    my $token = 'x' . ++$self->{count};
    $self->{canary}->input("$token\n");
    push @more, 'another job does not answer'
        if !$self->{canary}->expect(qr/still $token/, 5 * slow());
    ok(!@more, "$name: leaves nothing, and disturbs nobody")
        or diag(map {"$_\n"} @more);
}

sub finish {
    my ($self) = @_;
    $self->{canary}->send(type => 'eof');
    is($self->{canary}->finish->{status}, 'ok',
        'the job that ran beside it all ends well');
}

1;
