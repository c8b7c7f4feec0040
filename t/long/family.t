# The Nth system call of the keeper, and of the supervisor, fails while they do
# all that they ever do: start a family, take a configuration and give it on,
# see one of them die and start another one.  What fails then is made good
# without anybody's doing, and nothing is left open.

use strict;
use warnings;

use Codr::Host qw(need slurp wait_until);
use Codr::Hygiene;
use Codr::Nginx;
use Codr::Phases qw(next_job_runs role);
use POSIX ();
use Test::More;
use Time::HiRes qw(time);

need(qw(plain root module helper /usr/bin/strace));

my $SECONDS = 120;      # then the rest is left out, and said
my $start   = time;

my %error = ((map { $_ => 'EMFILE' } qw(openat pipe2 socketpair memfd_create
        signalfd4 timerfd_create dup)),
    (map { $_ => 'ENFILE' } qw(open socket accept4)),
    (map { $_ => 'ENOMEM' } qw(mmap brk mprotect sendmsg recvmsg
        inotify_add_watch)),
    (map { $_ => 'EAGAIN' } qw(clone clone3 fork vfork)),
    (map { $_ => 'EIO' } qw(read pread64 write lseek fstat newfstatat)));

# What they do first of all is left alone, and what fails on paper only, as a
# change of what epoll watches does.
my %never = map { $_ => 1 } qw(close exit exit_group rt_sigreturn futex getpid
    munmap wait4 kill clock_gettime restart_syscall epoll_wait epoll_ctl
    rt_sigprocmask fcntl);

my $nginx = Codr::Nginx->new(languages => 0, log => 'notice', http => <<'END');
codr_language sh { source main.sh; run /bin/sh $source; }
END
ok($nginx->ready && next_job_runs($nginx), 'the server is ready');

# Runs strace on a role while the code runs; what it has written.
sub traced {
    my ($role, $code, @options) = @_;
    my $pid = wait_until(20, sub { role($nginx, $role) }) or return '';
    my $out = $nginx->path('strace');
    unlink $out, "$out.err";
    my $strace = fork // die "fork: $!";
    if (!$strace) {
        open STDERR, '>', "$out.err" or POSIX::_exit(1);
        exec 'strace', '-o', $out, '-p', $pid, '-e', 'signal=none', @options
            or POSIX::_exit(127);
    }
    wait_until(10, sub { slurp("$out.err") =~ /attached|ptrace/ });
    $code->($pid);
    kill INT => $strace;
    wait_until(10, sub { waitpid($strace, POSIX::WNOHANG()) == $strace })
        or kill KILL => $strace;
    return slurp($out);
}

# What gives them work, and when it is done, or as far as it goes.
my %work = (
    supervisor => {
        broker  => sub { replaced('broker') },
        spawner => sub { replaced('spawner') },
        reload  => sub { $nginx->reload },
    },
    keeper => { supervisor => sub { replaced('supervisor') } },
);

sub replaced {
    my ($role) = @_;
    my $pid = wait_until(10, sub { role($nginx, $role) }) or return;
    kill KILL => $pid;
    return wait_until(3, sub { (role($nginx, $role) // $pid) != $pid });
}

my ($done, $left, @stuck) = (0, 0);
my @injections;                 # role, what, call, N
for my $role (sort keys %work) {
    for my $what (sort keys %{ $work{$role} }) {
        my %count;
        $count{$_}++ for traced($role, $work{$role}{$what})
            =~ /^(\w+)\(/mg;
        ok(wait_until(30, sub { next_job_runs($nginx) }),
            "$role: $what, without a failure");
        for my $call (grep { !$never{$_} } sort keys %count) {
            my $most = $count{$call} > 4 ? 4 : $count{$call};
            push @injections, map { [ $role, $what, $call, $_ ] } 1 .. $most;
        }
    }
}
cmp_ok(scalar @injections, '>', 20, 'there are calls to fail');
my $descriptors = Codr::Hygiene::descriptors($nginx);

# In another order each time, as not all may have their turn; messages of a
# reload first, the news of a worker's channel among them.
my $seed = $ENV{CODR_FAMILY_SEED} // time ^ $$;
srand $seed;
diag("CODR_FAMILY_SEED=$seed");
for (sort { $a->[4] <=> $b->[4] }
    map { [ @{$_}, "@{$_}[1, 2]" eq 'reload sendmsg' ? 0 : rand ] } @injections)
{
    my ($role, $what, $call, $n) = @{$_};
    if (time - $start > $SECONDS || @stuck) {
        $left++;
        next;
    }
    my $error = $error{$call} // 'EPERM';
    traced($role, $work{$role}{$what},
        '-e', "inject=$call:error=$error:when=$n", '-e', "trace=$call");
    $done++;
    wait_until(40, sub {
        join(' ', sort values %{ $nginx->helpers })
            eq 'broker keeper spawner supervisor' && next_job_runs($nginx);
    }) or push @stuck, "$role $what $call $n: "
        . join(' ', sort values %{ $nginx->helpers });
}

diag("$done failures");
diag("$left more were left out: no time") if $left;
cmp_ok($done, '>', 10, 'calls have failed');
is(join("\n", @stuck), '', 'and each time jobs ran again, of a whole helper');
ok(wait_until(20, sub {
    Codr::Hygiene::descriptors($nginx) <= $descriptors + 4;
}), 'nothing is left open') or diag($descriptors, ' then ',
    Codr::Hygiene::descriptors($nginx));
ok(wait_until(10, sub { !$nginx->job_processes }), 'no process is left');
$nginx->finish(expected => qr/codr: /);

done_testing();
