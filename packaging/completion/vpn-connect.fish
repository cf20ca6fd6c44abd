# fish completion of vpn-connect(1)

set -l verbs up down suspend status monitor log doctor tickets forget \
	profile import export
set -l named up down suspend status monitor log doctor forget export

complete -c vpn-connect -f
complete -c vpn-connect -n "not __fish_seen_subcommand_from $verbs" -l help \
	-d "a summary"
complete -c vpn-connect -n "not __fish_seen_subcommand_from $verbs" \
	-l version -d "which one this is"

set -l verb "not __fish_seen_subcommand_from $verbs"
complete -c vpn-connect -n $verb -a up -d "connect"
complete -c vpn-connect -n $verb -a down -d "log out, forget the ticket"
complete -c vpn-connect -n $verb -a suspend -d "disconnect, keep the ticket"
complete -c vpn-connect -n $verb -a status -d "how a tunnel is"
complete -c vpn-connect -n $verb -a monitor -d "status, live"
complete -c vpn-connect -n $verb -a log -d "what a tunnel in the background wrote"
complete -c vpn-connect -n $verb -a doctor -d "look at everything a connection needs"
complete -c vpn-connect -n $verb -a tickets -d "what is kept to resume with"
complete -c vpn-connect -n $verb -a forget -d "delete the ticket"
complete -c vpn-connect -n $verb -a profile -d "make a profile, or list them"
complete -c vpn-connect -n $verb -a import -d "make a profile of another program's file"
complete -c vpn-connect -n $verb -a export -d "a profile for NetworkManager"

complete -c vpn-connect -n "__fish_seen_subcommand_from $named" \
	-a "(vpn-connect profile list 2>/dev/null)" -d profile
complete -c vpn-connect -n "__fish_seen_subcommand_from up" -l background \
	-d "return when it is up"
complete -c vpn-connect -n "__fish_seen_subcommand_from up" -l once \
	-d "do not try again"
complete -c vpn-connect -n "__fish_seen_subcommand_from status monitor doctor tickets" \
	-l json -d "objects for programs"
complete -c vpn-connect -n "__fish_seen_subcommand_from log" -l follow \
	-d "go on with what comes"
complete -c vpn-connect -n "__fish_seen_subcommand_from tickets" \
	-l rotate-key -d "a new key for all tickets"
complete -c vpn-connect -n "__fish_seen_subcommand_from profile" -a "new list"
complete -c vpn-connect -n "__fish_seen_subcommand_from import export" -F
complete -c vpn-connect -n "__fish_seen_subcommand_from import" -x -l name \
	-d "of the profile"
complete -c vpn-connect -n "__fish_seen_subcommand_from import" -r \
	-l password-file -d "of the certificate"
complete -c vpn-connect -n "__fish_seen_subcommand_from import" -l yes \
	-d "accept without a question"
