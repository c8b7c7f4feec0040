# Dependencies point one way (docs/architecture.md): read from #include lines.

use strict;
use warnings;

use Codr::Host qw(slurp top);
use Test::More;

my $top = top();

# The roles, which are the processes of the helper, and the files each is made
# of.  A file that belongs to none is a mechanism.
my %ROLES = (
    keeper     => [ qw(keeper) ],
    supervisor => [ qw(supervisor argv checker conf_bind conf_file
        conf_globals conf_language conf_policy conf_rows family listen
        relative settings tell watchdog zygote_argv) ],
    broker     => [ qw(broker answer attach channel charge client command
        compile dispatch fetch figures headers inspect inspection job leaving
        link offer pool probe pump report review rules sandbox sandbox_limits
        share stage stage_input status supply verdict) ],
    spawner    => [ qw(spawner spawner_setup spawner_slot nursery nursery_ask
        zygote_peer zygote_plan) ],
    init       => [ qw(init enter program waiting) ],
    lint       => [ qw(lint_command) ],
);
my %ROLE_OF = map {
    my $role = $_;
    map { ("codr_$_" => $role) } @{ $ROLES{$role} };
} keys %ROLES;

# Init is a clone of the spawner that never executes anything; --lint reads
# the configuration as the supervisor does.
my %CALLS = (spawner => 'init', lint => 'supervisor');

# What the pure files may include: they are compiled into nginx's workers too.
my %PURE = map { $_ => 1 } qw(codr_proto codr_limits codr_place);
my @LIBC = qw(errno limits signal stdbool stddef stdint stdio stdlib string);

sub includes {
    my ($file) = @_;
    return slurp($file) =~ /^\s*#\s*include\s+[<"]([^>"]+)[>"]/mg;
}

my (@module, @pure, @roles, @outside);

for my $file (glob "$top/module/*.[ch]") {
    my ($name) = $file =~ m{([^/]+)$};
    for (includes($file)) {
        next unless m{sandbox/} || /^codr_/;
        push @module, "$name: $_"
            unless m{^\.\./sandbox/codr_(?:proto|limits|place)\.h$};
    }
}

for my $file (glob "$top/sandbox/*.[ch]") {
    my ($base, $name) = $file =~ m{(([^/]+)\.[ch])$};
    my $role = $ROLE_OF{$name} // '';
    for (includes($file)) {
        my ($their) = /^(codr_\w+)\.h$/;
        if ($PURE{$name}) {
            my $libc = join '|', @LIBC;
            push @pure, "$base: $_"
                unless /^(?:$libc)\.h$/ || $their && $PURE{$their};
        }
        push @outside, "$base: $_" if /module|ngx_|validators/;
        my $other = $their && $ROLE_OF{$their} or next;
        push @roles, "$base: $_" unless $other eq $role
            || ($CALLS{$role} // '') eq $other || main_file($name);
    }
}

# The file with main() starts every role, so it alone names them all.
sub main_file {
    my ($name) = @_;
    return slurp("$top/sandbox/$name.c") =~ /^main\(/m;
}

# The validator uses mechanisms of the helper, and nothing of its roles.
for my $file (glob "$top/validators/*.[ch]") {
    my ($base) = $file =~ m{([^/]+)$};
    for (includes($file)) {
        my ($their) = /^(codr_\w+)\.h$/;
        push @roles, "$base: $_" if $their && $ROLE_OF{$their};
        push @outside, "$base: $_" if /module|ngx_|sandbox/;
    }
}

sub none {
    my ($list, $name) = @_;
    is(join("\n", @{$list}), '', $name);
}

none(\@module,
    'module/ includes of sandbox/ only the wire format and the limits');
none(\@pure, 'the wire format and the limits need libc only');
none(\@roles,
    'no role includes another, no mechanism includes a role');
none(\@outside, 'sandbox/ knows nothing of nginx');

done_testing();
