package Codr::Inject;

# System calls that fail, by strace, in processes of the helper's family that
# stay when sandboxes go.  (t/long/syscalls.t has those of a job's life.)

use strict;
use warnings;

use Codr::Host qw(slurp wait_until);
use Codr::Hygiene;
use Codr::Phases qw(next_job_runs role);
use Exporter 'import';
use POSIX ();
use Test::More;

our @EXPORT_OK = qw(failing fails in_turn is_whole replaced shuffled traced);

# Errors the kernel has for these; EPERM for all others.
my %error = ((map { $_ => 'EMFILE' } qw(openat pipe2 socketpair memfd_create
        signalfd4 timerfd_create dup)),
    (map { $_ => 'ENFILE' } qw(open socket accept4)),
    (map { $_ => 'ENOMEM' } qw(mmap brk mprotect sendmsg recvmsg
        inotify_add_watch execveat)),
    (map { $_ => 'EAGAIN' } qw(clone clone3 fork vfork)),
    (map { $_ => 'EIO' } qw(read pread64 write lseek fstat newfstatat)));

# What fails on paper only: what cannot, and a change of what epoll watches.
my %never = map { $_ => 1 } qw(close exit exit_group rt_sigreturn futex getpid
    getppid gettid getuid geteuid getgid getegid munmap wait4 kill
    clock_gettime restart_syscall epoll_wait epoll_ctl rt_sigprocmask fcntl
    getsockopt getsockname arch_prctl set_tid_address set_robust_list rseq);

sub fails { return !$never{ $_[0] } }

# Options of strace: the Nth of these calls fails, in each process.
sub failing {
    my ($call, $n) = @_;
    my $error = $error{$call} // 'EPERM';
    return ('-e', "inject=$call:error=$error:when=$n", '-e', "trace=$call");
}

# Runs strace on a role while the code runs; what it has written.
sub traced {
    my ($nginx, $role, $code, @options) = @_;
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

# Kills a role, and waits for the next one, if it comes soon; its pid.
sub replaced {
    my ($nginx, $role) = @_;
    my $pid = wait_until(10, sub { role($nginx, $role) }) or return;
    kill KILL => $pid;
    return wait_until(3, sub {
        my $next = role($nginx, $role) // $pid;
        return $next != $pid ? $next : 0;
    });
}

# In another order each time, as not all may have their turn; which one, a
# variable of the environment decides.
sub shuffled {
    my ($variable, @all) = @_;
    my $seed = $ENV{$variable} // time ^ $$;
    srand $seed;
    diag("$variable=$seed");
    return map { $_->[1] } sort { $a->[0] <=> $b->[0] }
        map { [ rand, $_ ] } @all;
}

# Lets one after the other fail, for so many seconds, as long as the helper is
# whole afterwards: the code does it, and returns what to call it.  What is open
# then is what was open before, and no process is left.
sub in_turn {
    my ($nginx, $seconds, $code, @injections) = @_;
    my ($end, $done, $stuck) = (time + $seconds, 0, '');
    my $descriptors = Codr::Hygiene::descriptors($nginx);
    while (@injections && !$stuck && time < $end) {
        my $name = $code->(@{ shift @injections });
        $done++;
        is_whole($nginx, 40)
            or $stuck = "$name: @{[ sort values %{ $nginx->helpers } ]}";
    }
    diag("$done failures, no time for ", scalar @injections, ' more');
    cmp_ok($done, '>', 3, 'calls have failed');
    is($stuck, '', 'and each time jobs ran again, of a whole helper');
    ok(wait_until(20, sub {
        Codr::Hygiene::descriptors($nginx) <= $descriptors + 4;
    }), 'nothing is left open') or diag($descriptors, ' then ',
        Codr::Hygiene::descriptors($nginx));
    ok(wait_until(10, sub { !$nginx->job_processes }), 'no process is left');
    return;
}

# There is one of each role, and jobs run.
sub is_whole {
    my ($nginx, $seconds) = @_;
    return wait_until($seconds, sub {
        join(' ', sort values %{ $nginx->helpers })
            eq 'broker keeper spawner supervisor' && next_job_runs($nginx);
    });
}

1;
