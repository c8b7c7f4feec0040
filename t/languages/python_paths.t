# Python programs behave alike wherever their interpreter comes from: executed
# in a new sandbox, in one that was ready, or as a clone of the zygote; and
# everywhere as the plain python3 does outside.

use strict;
use warnings;

use Codr::Host qw(need wait_until);
use Codr::Nginx;
use Codr::Python qw(bare plain programs request);
use Test::More;

need(qw(module helper root /usr/bin/python3));

my %inside;
for my $path (qw(cold pool zygote)) {
    my $nginx = Codr::Nginx->new(path => $path, location =>
        'codr_output 4m; codr_memory 600m;');
    ok($nginx->ready, "a server: $path");
    my $warm = wait_until(30, sub {
        return $nginx->post('/run', { language => 'python', code => '' })
            ->{json}{path} eq $path;
    });
    ok($warm, "jobs take the path: $path") or BAIL_OUT($nginx->log);
    for (programs()) {
        $inside{$path}{ $_->[0] }
            = $nginx->post('/run', request(@{$_}))->{json};
    }
    $nginx->finish;
}

for (programs()) {
    my ($name, $code, %o) = @{$_};
    my $bare = bare($code, %o);
    for my $path (qw(cold pool zygote)) {
        my $job = $inside{$path}{$name};
        is(plain($job), $bare, "$name: $path");
        is($job->{path}, $o{path} // 'zygote', "$name: a clone or not")
            if $path eq 'zygote' && $job->{path} ne 'cold';
    }
}

done_testing();
