# What the policies do not see the sandbox stops: programs that get past them
# and try to reach a server of the host.  Each has a control: outside it gets
# there.

use strict;
use warnings;

use Codr::Host qw(build need spew top);
use Codr::Nginx;
use Codr::Policy qw(blocks lint_blocks);
use File::Temp ();
use IO::Socket::INET;
use Test::More;

my %program = (python => '/usr/bin/python3', javascript => '/usr/bin/node');
my %ends = (python => 'py', javascript => 'js');

need(qw(module helper), build() . '/codr-validator', values %program);

my $nginx = Codr::Nginx->new;
ok($nginx->ready, 'the server is ready');
my $server = IO::Socket::INET->new(Listen => 32, LocalAddr => '127.0.0.1')
    or die "listen: $!";
my $port = $server->sockport;

for my $path (sort glob top() . '/t/validators/unseen/*.txt') {
    my ($language) = $path =~ m{([^/]+)\.txt$};
    for my $block (lint_blocks($language, blocks($path))) {
        my $name = "$language, $block->{name}";
        is($block->{found}{verdict}, 'passes', "$name: is not seen")
            or diag(explain($block->{found}));
        like(outside($language, $block->{text}), qr/^reached$/m,
            "$name: outside it gets there");
        my $job = $nginx->run_job(language => $language,
            code => $block->{text}, args => ["$port"],
            limits => { wall_time => 20 }, timeout => 60);
        unlike($job->{stdout} // '', qr/^reached/m, "$name: inside not");
        ok($job->{complete}, "$name: it ran")
            or diag(explain($job->{error}));
    }
}

$nginx->finish;
done_testing();

sub outside {
    my ($language, $text) = @_;
    my $dir = File::Temp->newdir;
    spew("$dir/main.$ends{$language}", $text);
    open my $out, '-|', 'sh', '-c', 'cd "$0" && exec "$@" 2>&1', "$dir",
        'timeout', '60', $program{$language}, "main.$ends{$language}", $port
        or die "$program{$language}: $!";
    local $/;
    my $said = <$out> // '';
    close $out;
    return $said;
}
