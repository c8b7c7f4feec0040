# What a helper that was killed has left in its cgroups is ended by the next
# one: all of it, nobody else's, and nothing of a helper that lives.

use strict;
use warnings;

use Codr::Host qw(need spew wait_until);
use Codr::Nginx;
use Fcntl qw(:flock);
use POSIX ();
use Test::More;

need(qw(root module helper));

my ($TREE) = grep { -w "$_/cgroup.procs" }
    qw(/sys/fs/cgroup/pids /sys/fs/cgroup);
plan skip_all => 'needs a cgroup tree' if !$TREE;

my $CROWD = 900;    # more than one look at a cgroup tells
my @made;

mkdir '/run/codr', 0700;

# A cgroup as a helper has it, with the record of that.
sub instance {
    my $name = sprintf 'codr-%08x', rand 2**32;
    my %made = (dir => "$TREE/$name", record => "/run/codr/$name.lock");
    mkdir $_ or die "mkdir $_: $!" for $made{dir}, "$made{dir}/1";
    push @made, \%made;
    return \%made;
}

# The record; a helper that lives holds it.
sub record {
    my ($made, $lives) = @_;
    open my $file, '>', $made->{record} or die "$made->{record}: $!";
    flock $file, LOCK_EX if $lives;
    syswrite $file, "$made->{dir}\n";
    $made->{held} = $file if $lives;
}

# Processes that wait, in a cgroup.
sub inhabit {
    my ($dir, $count) = @_;
    my @pids;
    for (1 .. $count) {
        my $pid = fork // die "fork: $!";
        if ($pid == 0) {
            POSIX::pause() while 1;
        }
        push @pids, $pid;
        spew("$dir/cgroup.procs", $pid) if $dir;
    }
    return @pids;
}

# How many of them have been killed.
my %killed;

sub killed {
    for my $pid (grep { !defined $killed{$_} } @_) {
        $killed{$pid} = $? & 127 if waitpid($pid, POSIX::WNOHANG()) == $pid;
    }
    return scalar grep { ($killed{$_} // 0) == 9 } @_;
}

my $alive = instance();
record($alive, 1);
my @alive = (inhabit("$alive->{dir}/1", 3), inhabit($alive->{dir}, 1));
my $dead = instance();
my @dead = (inhabit("$dead->{dir}/1", 3), inhabit($dead->{dir}, 1));
my $full = instance();
my @crowd = inhabit("$full->{dir}/1", $CROWD);
my @others = inhabit(undef, 3);
record($_) for $dead, $full;

for my $start (1 .. 3) {
    my $nginx = Codr::Nginx->new(languages => 0);
    ok($nginx->ready(30, sub { ($_[0]{json}{helper} // '') eq 'up' }),
        'a helper starts');
    ok(wait_until(10, sub { killed(@dead) == @dead }),
        'it ends what a dead one has left') if $start == 1;
    my $expected = $start == 1 ? $CROWD / 3 : $CROWD;
    ok(wait_until(10, sub { killed(@crowd) >= $expected }),
        $start == 1 ? 'of a crowd what it sees' : 'and the next one the rest');
    $nginx->finish;
}

ok(!-e $_->{dir} && !-e $_->{record}, 'then nothing of it is left')
    for $dead, $full;
is(killed(@others), 0, 'nobody else is ended');
is(killed(@alive), 0, 'nor who belongs to a helper that lives');
ok(-e $alive->{dir} && -e $alive->{record}, 'whose cgroup stays');

END {
    my $status = $?;
    kill KILL => grep { !defined $killed{$_} } @alive, @dead, @crowd, @others;
    waitpid $_, 0 for grep { !defined $killed{$_} } @alive, @dead, @crowd,
        @others;
    for my $made (@made) {
        rmdir $_ for "$made->{dir}/1", $made->{dir};
        unlink $made->{record};
    }
    $? = $status;
}

done_testing();
