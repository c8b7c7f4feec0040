# The Nth system call of the helper fails, for every call and every N over the
# life of a job, in the broker, the spawner, and the sandbox the spawner makes.
# Whatever fails: the client hears of it, the next job runs, nothing is left;
# and above all no program runs with less around it than it should have.

use strict;
use warnings;

use Codr::Host qw(need slow slurp wait_until);
use Codr::Nginx;
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

need(qw(plain root module helper /usr/bin/strace));

my $SECONDS = 150;      # then the rest is left out, and said
my $start   = time;

# Errors the kernel has for these; EPERM for all others.
my %error = ((map { $_ => 'EMFILE' } qw(openat openat2 pipe2 socketpair dup2
        memfd_create signalfd4 timerfd_create dup landlock_create_ruleset)),
    (map { $_ => 'ENOMEM' } qw(mmap brk mprotect munmap epoll_ctl sendmsg
        recvmsg setsockopt)),
    (map { $_ => 'EAGAIN' } qw(clone clone3 fork vfork setresuid setresgid)),
    (map { $_ => 'EIO' } qw(read write pread64 pwrite64 sendto recvfrom
        lseek ftruncate statfs fstatfs)), mkdir => 'ENOSPC');

# What fails only on paper: these do not, or the wrong that is then done is the
# injection's (a descriptor that was not closed is a leak of ours).
my %never = map { $_ => 1 } qw(close exit exit_group rt_sigreturn futex getpid
    getppid gettid getuid geteuid getgid getegid restart_syscall umask
    set_tid_address set_robust_list rseq arch_prctl sched_yield munmap wait4
    clock_gettime);

my $nginx = Codr::Nginx->new(languages => 0, log => 'notice', http => <<'END');
codr_language sh { source main.sh; run /bin/sh $source; }
END
ok($nginx->ready, 'the server is ready');

# What a program sees of its own confinement, by nothing but the shell.
my $look = <<'END';
while read -r line; do case $line in
    Uid*|Gid*|Groups*|Cap*|NoNew*|Seccomp:*) echo "status $line";;
esac; done </proc/self/status
while read -r line; do echo "limit $line"; done </proc/self/limits
while read -r line; do echo "mount $line"; done </proc/self/mounts
while read -r line; do echo "cgroup $line"; done </proc/self/cgroup
for fd in /proc/self/fd/*; do echo "fd ${fd##*/}"; done
(echo 1000 >/proc/self/oom_score_adj) 2>/dev/null && echo "landlock none"
echo "pid $$"
END

sub look {
    my $answer = $nginx->post('/run', { language => 'sh', code => $look },
        timeout => 30);
    my $json = $answer->{json} // {};
    return ($answer->{status}, $json->{status} // $json->{code} // 'nothing',
        [ split /\n/, ($json->{stdout} // '')
            =~ s/^(status [UG]id:).*$/$1 own/mgr ]);
}

my ($http, $status, $seen) = look();
is("$http $status", '200 ok', 'a job runs');
my %expected = map { $_ => 1 } @{$seen};
ok($expected{"status NoNewPrivs:\t1"} || (grep {/NoNewPrivs/} @{$seen}),
    'and sees its confinement');
cmp_ok(scalar @{$seen}, '>', 30, 'all of it');
ok(!(grep {/landlock/} @{$seen}), 'with Landlock around it');

sub helper {
    my ($role) = @_;
    my $roles = $nginx->helpers;
    my ($pid) = grep { $roles->{$_} eq $role
        && slurp("/proc/$_/status") =~ /^NSpid:\s+\d+$/m } sort { $a <=> $b }
        keys %{$roles};
    return $pid;
}

# Runs strace on a role while the code runs; what it has written.
sub traced {
    my ($role, $code, @options) = @_;
    my $pid = wait_until(20, sub { helper($role) }) or return '';
    my $out = $nginx->path('strace');
    unlink $out, "$out.err";
    my $strace = fork // die "fork: $!";
    if (!$strace) {
        open STDERR, '>', "$out.err" or POSIX::_exit(1);
        exec 'strace', '-f', '-o', $out, '-p', $pid, @options
            or POSIX::_exit(127);
    }
    wait_until(10, sub { slurp("$out.err") =~ /attached|ptrace/ });
    $code->();
    kill INT => $strace;
    wait_until(10, sub { waitpid($strace, POSIX::WNOHANG()) == $strace })
        or kill KILL => $strace;
    return slurp($out);
}

# Which calls there are, and how many of each one process makes.
sub calls {
    my ($role) = @_;
    my (%count, %most);
    for (split /\n/, traced($role, \&look, '-e', 'signal=none')) {
        next if !/^(\d+)\s+(\w+)\(/;
        my $n = ++$count{$2}{$1};
        $most{$2} = $n if $n > ($most{$2} // 0);
    }
    return \%most;
}

my ($done, $left, $refused, $ran, @loose, @silent, @stuck) = (0, 0, 0, 0);

sub inject {
    my ($role, $call, $n) = @_;
    my $what = "$role $call $n";
    my $error = $error{$call} // 'EPERM';
    my ($http, $status, $seen) = (0, 'nothing', []);
    traced($role, sub { ($http, $status, $seen) = look() },
        '-e', "inject=$call:error=$error:when=$n", '-e', 'signal=none',
        '-e', "trace=$call");
    $done++;
    push @silent, "$what: $http $status" if !$http || $status eq 'nothing';
    $ran += @{$seen} > 0;
    $refused += !@{$seen};
    my @other = grep { !$expected{$_} && $_ ne 'fd *' } @{$seen};
    push @loose, map {"$what: $_"} @other if @other;

    # Back without anybody's doing.
    wait_until(20, sub {
        my ($http, $status) = look();
        return $status eq 'ok';
    }) or push @stuck, $what;
}

for my $role (qw(broker spawner)) {
    my $calls = calls($role);
    cmp_ok(scalar keys %{$calls}, '>', 10, "$role: calls to fail");
    for my $call (sort keys %{$calls}) {
        next if $never{$call};
        my $most = $calls->{$call} > 12 ? 12 : $calls->{$call};
        for my $n (1 .. $most) {
            if (time - $start > $SECONDS || @stuck > 3) {
                $left++;
                next;
            }
            inject($role, $call, $n);
        }
    }
}

diag("$done failures: $ran programs ran, $refused did not");
diag("$left more were left out: no time") if $left;
cmp_ok($done, '>', 20, 'calls have failed');
is(join("\n", @loose), '', 'no program had less around it than it should');
is(join("\n", @silent), '', 'each client has heard of its job');
is(join("\n", @stuck), '', 'and the next job ran, each time');

# What it holds is what a helper that never failed holds.
ok(wait_until(10, sub { !$nginx->job_processes }), 'no process is left');
my %before = %{ $nginx->helpers };
is(join(' ', sort values %before), 'broker keeper spawner supervisor',
    'the helper is whole');
$nginx->finish(expected => qr/codr: /);

done_testing();
