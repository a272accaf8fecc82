"""Every parser of foreign bytes, with its seeds. A new parser adds a line."""

from fuzz import (
    archive,
    builds,
    elf,
    fhs,
    formats,
    hosted,
    launch,
    linker,
    profiles,
    programs,
    recipes,
    records,
    relocate,
    resolve,
    systems,
)
from fuzz.driver import Target

TARGETS: dict[str, Target] = {
    "elf": Target(elf.read_everything, elf.seeds, elf.large, elf.TOKENS),
    "script": Target(elf.read_script, elf.scripts, tokens=elf.SCRIPT_TOKENS),
    "program": Target(
        programs.examine_program, programs.programs, programs.large_programs, programs.TOKENS, programs.TIME
    ),
    "patch": Target(relocate.patch, relocate.programs, elf.large, relocate.TOKENS),
    "relocate": Target(
        relocate.relocate, relocate.relocatable, relocate.large_relocatable, relocate.RELOCATE_TOKENS
    ),
    "ld.so.cache": Target(linker.look_everything_up, linker.caches, linker.large_caches, linker.CACHE_TOKENS),
    "ld.so.conf": Target(linker.read_conf, linker.confs, linker.large_confs, linker.CONF_TOKENS),
    "nar": Target(formats.read_nar, formats.nars, formats.large_nars, formats.NAR_TOKENS),
    "tar": Target(formats.read_tar, formats.tars, formats.large_tars, formats.TAR_TOKENS),
    "deb": Target(formats.read_deb, formats.packages, tokens=formats.DEB_TOKENS),
    "squashfs": Target(formats.read_squashfs, formats.squashfs_images, tokens=formats.SQUASHFS_TOKENS),
    "iso9660": Target(formats.read_iso9660, formats.iso_images, tokens=formats.ISO_TOKENS),
    "unwind-tables": Target(
        formats.shorten_unwind_tables, formats.unwind_contents, tokens=formats.UNWIND_TOKENS
    ),
    "bundle-image": Target(
        formats.read_bundle_image, formats.bundle_images, tokens=formats.BUNDLE_IMAGE_TOKENS
    ),
    "aterm": Target(
        formats.read_derivation, formats.derivations, formats.large_derivations, formats.ATERM_TOKENS
    ),
    # Read as JSON, written for two readers, and read from twice; 900 KB of one string take 85 ms.
    "attributes": Target(
        builds.read_attributes, builds.attributes, builds.large_attributes, builds.ATTRIBUTE_TOKENS, time=2
    ),
    "os-release": Target(formats.read_os_release, formats.os_releases, tokens=formats.OS_RELEASE_TOKENS),
    "narinfo": Target(formats.read_narinfo, formats.narinfos, formats.large_narinfos, formats.NARINFO_TOKENS),
    "decision": Target(
        launch.read_decision, launch.decisions, launch.large_decisions, launch.DECISION_TOKENS
    ),
    "contents": Target(
        archive.read_contents, archive.some_contents, archive.large_contents, archive.CONTENTS_TOKENS
    ),
    "contents-libraries": Target(
        archive.read_libraries, archive.some_contents, archive.large_contents, archive.CONTENTS_TOKENS
    ),
    "packages": Target(
        archive.read_packages, archive.some_packages, archive.large_packages, archive.PACKAGES_TOKENS
    ),
    "changelog": Target(
        archive.read_changelog, archive.changelogs, archive.large_changelogs, archive.STREAM_TOKENS
    ),
    "copyright": Target(
        archive.read_licences, archive.copyrights, archive.large_copyrights, archive.COPYRIGHT_TOKENS
    ),
    "release": Target(archive.read_release, archive.releases, archive.large_releases, archive.RELEASE_TOKENS),
    "sources.list": Target(archive.read_sources, archive.sources, tokens=archive.SOURCES_TOKENS),
    "version": Target(archive.compare_versions, archive.versions, tokens=archive.VERSION_TOKENS),
    "inflate": Target(archive.inflate, archive.streams, tokens=archive.STREAM_TOKENS),
    "xz": Target(archive.decode_xz, archive.xz_streams, tokens=archive.STREAM_TOKENS),
    "armor": Target(archive.read_armor, archive.armors, tokens=archive.ARMOR_TOKENS),
    "package-control": Target(fhs.read_package, fhs.packages, fhs.large_packages, fhs.CONTROL_TOKENS),
    "maintainer-script": Target(fhs.read_script, fhs.scripts, fhs.large_scripts, fhs.SCRIPT_TOKENS),
    "declarations": Target(
        fhs.read_declarations, fhs.declarations, fhs.large_declarations, fhs.DECLARATION_TOKENS
    ),
    "nsswitch": Target(fhs.read_nsswitch, fhs.some_nsswitch, fhs.large_nsswitch, fhs.NSSWITCH_TOKENS),
    "denizen.toml": Target(fhs.read_project, fhs.projects, fhs.large_projects, fhs.PROJECT_TOKENS),
    # All of its time is tomllib's, whose 60 ms for 250 KB of short strings are the limit itself.
    "develop-table": Target(
        recipes.read_develop, recipes.develop_tables, recipes.large_develop_tables, recipes.TOKENS, time=2
    ),
    "denizen.lock-opened": Target(
        recipes.read_findings, recipes.findings, recipes.large_findings, recipes.FINDING_TOKENS
    ),
    "recipe.toml": Target(recipes.read_recipe, recipes.recipes, recipes.large_recipes, recipes.TOKENS),
    "generation": Target(fhs.read_record, fhs.generations, fhs.large_generations, fhs.GENERATION_TOKENS),
    "profile-manifest": Target(
        profiles.read_profile, profiles.manifests, profiles.large_manifests, profiles.MANIFEST_TOKENS
    ),
    "profile-lock": Target(
        profiles.read_lock_plans, profiles.plans, profiles.large_plans, profiles.MANIFEST_TOKENS
    ),
    # Read as a package's XML, from which the databases are made, and as a desktop entry.
    "mime-package": Target(
        profiles.read_mime,
        profiles.mime_packages,
        profiles.large_mime_packages,
        profiles.MIME_TOKENS,
        time=2,
    ),
    # It reads twice: what was rewritten is read again.
    "desktop-entry": Target(
        profiles.rewrite_desktop_file,
        profiles.desktop_files,
        profiles.large_desktop_files,
        profiles.DESKTOP_TOKENS,
        time=2,
    ),
    "command-recipe": Target(
        profiles.read_command_recipe, profiles.recipes, profiles.large_recipes, profiles.MANIFEST_TOKENS
    ),
    "system.toml": Target(systems.read_spec, systems.specs, systems.large_specs, systems.SPEC_TOKENS),
    "system-manifest": Target(
        systems.read_manifest, systems.manifests, systems.large_manifests, systems.MANIFEST_TOKENS
    ),
    "etc-record": Target(
        systems.read_etc_record, systems.records, systems.large_records, systems.RECORD_TOKENS
    ),
    "accounts": Target(
        systems.read_accounts, systems.accounts, systems.large_accounts, systems.ACCOUNT_TOKENS
    ),
    "lock": Target(resolve.read_lock, resolve.locks, resolve.large_locks, resolve.LOCK_TOKENS),
    **records.TARGETS,
    "loader-image": Target(hosted.asks(b"i"), hosted.objects, tokens=hosted.ELF_TOKENS),
    "loader-headers": Target(hosted.asks(b"h"), hosted.objects, tokens=hosted.ELF_TOKENS),
    "loader-object": Target(hosted.asks(b"o"), hosted.objects, tokens=hosted.ELF_TOKENS),
    "inside-child": Target(hosted.asks(b"s"), hosted.children, tokens=hosted.ELF_TOKENS),
    "loader-covered": Target(hosted.asks(b"c"), hosted.loaders, tokens=hosted.ELF_TOKENS),
    "resident-index": Target(hosted.asks(b"x"), hosted.indexes, tokens=hosted.INDEX_TOKENS),
    "loader-joined": Target(hosted.asks(b"j"), hosted.joined_tables, tokens=hosted.JOINED_TOKENS),
    "loader-packed": Target(hosted.asks(b"p"), hosted.packed_images, tokens=hosted.PACKED_TOKENS),
    "loader-decision": Target(hosted.asks(b"d"), hosted.decisions, tokens=hosted.TOKENS),
}
