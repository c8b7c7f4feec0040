package Codr::Host;

# What this machine is and has, for tests: where the build is, what may be
# skipped and why, and a look at everything codr could leave behind.

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use Fcntl qw(:flock);
use File::Basename qw(dirname);
use Test::More ();
use Time::HiRes ();

our @EXPORT_OK = qw(build cgroups leftovers need slow slurp snapshot spew
    top wait_until);

my $top = abs_path(dirname(__FILE__) . '/../../..');

sub top { return $top }

sub build { return $ENV{CODR_BUILD} // "$top/build" }

sub nginx { return $ENV{CODR_NGINX} // '/usr/sbin/nginx' }

sub slurp {
    my ($path) = @_;
    open my $in, '<', $path or return '';
    local $/;
    return scalar(<$in>) // '';
}

sub spew {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "$path: $!";
    print {$out} $text;
    close $out or die "$path: $!";
}

# Calls $true until it returns a true value, which is returned, or until the
# seconds, stretched for a busy or emulated machine, are over.
sub wait_until {
    my ($seconds, $true) = @_;
    my $end = Time::HiRes::time() + $seconds * slow();
    for (;;) {
        my $value = $true->();
        return $value if $value;
        return if Time::HiRes::time() >= $end;
        Time::HiRes::sleep(0.01);
    }
}

# How many times slower than an idle one this machine may be: what upper
# bounds of times are multiplied by.
sub slow { return $ENV{CODR_SLOW} || 3 }

# "v2" or "v1" where the memory and pids controllers can be used, else "".
sub cgroups {
    return '' if $> != 0;
    my $v2 = slurp('/sys/fs/cgroup/cgroup.controllers');
    return 'v2' if $v2 =~ /\bmemory\b/ && $v2 =~ /\bpids\b/;
    return 'v1' if -w '/sys/fs/cgroup/memory' && -w '/sys/fs/cgroup/pids';
    return '';
}

my %facts = (
    root    => sub { $> == 0 ? '' : 'needs root' },
    user    => sub { $> != 0 || getpwnam('nobody') ? '' : 'needs nobody' },
    cgroups => sub { cgroups() ? '' : 'needs cgroup controllers' },
    module  => sub {
        return 'the module is not built'
            unless $ENV{CODR_SANITIZER}
            || -f build() . '/ngx_http_codr_module.so';
        return -x nginx() ? '' : 'needs nginx';
    },
    helper  => sub { -x build() . '/codr-sandboxd' ? '' : 'no helper built' },
    probes  => sub {
        -x build() . '/t/sandbox/probe_view' ? '' : 'no probes built';
    },
    openssl => sub { -x '/usr/bin/openssl' ? '' : 'needs openssl' },
    uml     => sub {
        return 'needs user-mode-linux' if !-x '/usr/bin/linux';
        return -f build() . '/t/uml/xstate.so' ? '' : 'no probes built';
    },
    plain   => sub { $ENV{CODR_SANITIZER} ? 'a sanitizer build' : '' },
    sanitized => sub { $ENV{CODR_SANITIZER} ? '' : 'no sanitizer build' },
    clang   => sub { -x '/usr/bin/clang' ? '' : 'needs clang' },
);

# Skips the whole test, with the reason, unless all of the facts hold: names of
# the table above, or absolute paths of programs.
sub need {
    for my $fact (@_) {
        my $reason = $fact =~ m{^/}
            ? (-x $fact ? '' : "needs $fact")
            : ($facts{$fact} // die "no such fact: $fact")->();
        Test::More::plan(skip_all => $reason) if $reason;
    }
}

# Names of helpers that run now, of this test or not: each holds the lock on
# its file.
sub _instances {
    my %running;
    for my $path (glob '/run/codr/codr-*.lock') {
        open my $file, '<', $path or next;
        my ($name) = $path =~ m{/([^/]+)\.lock$};
        $running{$name} = 1 if !flock $file, LOCK_EX | LOCK_NB;
    }
    return \%running;
}

# Processes started from files of the build that is tested.
sub _processes {
    my $helper = abs_path(build() . '/codr-sandboxd') // '';
    return grep { (readlink("/proc/$_/exe") // '') eq $helper }
        map {m{(\d+)$}} glob '/proc/[0-9]*';
}

# Everything that outlives a job or a helper only by mistake: name => 1.
sub snapshot {
    my $running = _instances();
    my %found;
    $found{"mount $_"} = 1 for grep {/codr/} split /\n/,
        slurp('/proc/self/mounts');
    for my $path (glob('/sys/fs/cgroup/{codr-*,*/codr-*}'),
        glob '/run/codr/codr-*.lock') {
        my ($name) = $path =~ m{/(codr-\w+)(?:\.lock)?$};
        $found{$path} = 1 unless $name && $running->{$name};
    }
    $found{"helper $_"} = 1 for _processes();
    return \%found;
}

# What is there now and was not at the snapshot; waits, so that what is just
# ending may end.
sub leftovers {
    my ($before, $seconds) = @_;
    my @left;
    wait_until($seconds // 5, sub {
        my $now = snapshot();
        @left = grep { !$before->{$_} } sort keys %{$now};
        return !@left;
    });
    return @left;
}

1;
