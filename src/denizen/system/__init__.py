"""System profiles: a machine's packages, files of /etc, accounts, units and boot entries as generations."""
