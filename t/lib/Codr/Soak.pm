package Codr::Soak;

# What a server under a steady load holds, so that growth is seen: memory,
# descriptors, timers, the zone, cgroups, terminals, processes, mounts.

use strict;
use warnings;

use Codr::Host qw(build slurp);
use Codr::Nginx;

# A server for t/soak/codr_soak with room for so many descriptors of a worker
# (files) and so many jobs of each kind at once.  What it keeps
# of the past is so little that it is full soon, and then must not grow.
sub server {
    my ($class, %o) = @_;
    my $dir = Codr::Nginx::dir();
    my $nginx = Codr::Nginx->new(dir => $dir, languages => 0, workers => 2,
        log => 'warn',
        main => "worker_rlimit_nofile $o{files};",
        connections => $o{files}, http => <<"END",
codr_zone codr:32m;
codr_results 4m;
codr_job_ttl 20s;
codr_max_jobs $o{jobs} batch=$o{jobs};
codr_language sh { source main.sh; run /bin/sh \$source; }
codr_job_log $dir/job.log;
END
        location => 'codr_first_message_timeout 1h; codr_idle_timeout 1h;'
            . 'codr_limit_jobs $codr_tag jobs=1000 rate=1000000/m;',
        server => 'location = /metrics { codr_status; }');
    return bless { nginx => $nginx }, $class;
}

sub nginx { return $_[0]{nginx} }

# Starts the load; the handle says "open" when all sockets stand, and in the
# end a line of figures.
sub load {
    my ($self, $idle, $rate, $seconds) = @_;
    my $pid = open my $out, '-|', build() . '/t/soak/codr_soak',
        $self->{nginx}->port, '/run', $idle, $rate, $seconds
        or die "codr_soak: $!";
    (readline($out) // '') eq "open\n" or die "the sockets do not open\n";
    return $out;
}

# The last line of the load as name => number; nothing when it did not come.
sub figures {
    my ($out) = @_;
    my $line = readline($out) // '';
    close $out;
    return $line =~ /([a-z]\w*) ([\d.]+)/g;
}

sub _links {
    my ($pid) = @_;
    return map { readlink($_) // '' } glob "/proc/$pid/fd/*";
}

sub _rss {
    my ($pid) = @_;
    return slurp("/proc/$pid/smaps_rollup") =~ /^Rss:\s+(\d+)/m ? $1 : 0;
}

# name => number, now.  Names that begin with "rss" are KB.
sub sample {
    my ($self) = @_;
    my $nginx = $self->{nginx};
    my %role = (%{ $nginx->helpers }, map { $_ => 'worker' } $nginx->workers);
    my %found = map { $_ => 0 } qw(timers terminals);
    for my $pid (keys %role) {
        my @links = _links($pid);
        $found{"rss $role{$pid}"} += _rss($pid);
        $found{"files $role{$pid}"} += @links;
        $found{timers}    += grep {/timerfd/} @links;
        $found{terminals} += grep {m{/ptmx$|/pts/}} @links;
    }
    my ($spawner) = grep { $role{$_} eq 'spawner' } keys %role;
    $found{mounts} = () = slurp("/proc/$spawner/mounts") =~ /\n/g;
    $found{processes} = () = $nginx->sandbox_processes;
    $found{cgroups} = $self->_cgroups($spawner);
    my ($free) = $nginx->get('/metrics')->{body}
        =~ /^codr_zone_free_bytes (\d+)/m;
    $found{'zone KB'} = 32768 - ($free // 0) / 1024;
    return \%found;
}

# Below the directory that the spawner holds open.
sub _cgroups {
    my ($self, $spawner) = @_;
    my ($instance) = map {m{/(codr-[0-9a-f]+)\b}} _links($spawner);
    return 0 if !$instance;
    my @found = glob "/sys/fs/cgroup/{,*/}$instance/*/cgroup.procs";
    return scalar @found;
}

1;
