// What is known about files from earlier runs: identity, facts and finished work, in one SQLite database.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/dataset/file_identity.h"

namespace imgmill {

/// Where a run's catalog is: the output folder's .imgmill/, or, with an empty `output_folder`,
/// $XDG_STATE_HOME/imgmill/KEY (else $HOME/.local/state/imgmill/KEY), KEY being derived from the canonical
/// inputs. If there is no catalog of that name, but one of the same folders before they were moved (see
/// KeepLink), it is that one. kUsage, naming --catalog and --no-catalog, if there is no home.
/// @param inputs  canonical, in bytewise order.
Result<std::string> DefaultCatalogFolder(const std::string& output_folder,
                                         const std::vector<std::string>& inputs);
/// Links to a catalog in the state folder by properties of its input folders that stay the same when they
/// are moved. If a link cannot be made, only time is lost.
void KeepLink(const std::string& catalog_folder, const std::vector<std::string>& inputs);

/// Where the catalogs of commands without an output folder are, one folder each: $XDG_STATE_HOME/imgmill,
/// else $HOME/.local/state/imgmill. kUsage where there is neither.
Result<std::string> StateFolder();
/// Why a catalog cannot be kept where it is by default, and what to do.
Error NoPlaceForCatalog(const Error& reason);

/// A file as it was last seen.
struct KnownFile {
  FileStamp stamp;
  ContentDigest content;
};

/// Finished work: this source gave this output under these options.
struct WorkKey {
  std::string source;  ///< absolute path
  ContentDigest content;
  std::string fingerprint;  ///< of operation, options, plan and versions
  std::string output;       ///< path relative to the output folder
};

struct WorkRow {
  enum class State { kIntent, kDone };
  State state = State::kIntent;
  int64_t size = 0;
  ContentDigest digest;  ///< of the output's bytes
};

/// A row with what it is filed under.
struct FoundWork {
  WorkKey key;
  WorkRow row;
};

/// Thread-safe. Puts are collected in a transaction that is committed half a second after its first put,
/// after 1000 of them, by PutWork, by Flush and at the end: a killed process loses the last half second of
/// files and facts, which a rerun computes again, and no work rows. WAL where the file system allows it, else
/// a rollback journal. SQLite's page cache is held to 2 MiB.
///
/// Errors are of stage kCatalog: kDiskFull when there is no space (the database stays whole, the puts since
/// the last commit are lost), kLocked when another process keeps it busy for more than 5 s, kMalformed when
/// it is damaged. One that happens in the background, or in a Find, is returned by every later put until
/// Flush has returned it.
class Catalog {
 public:
  /// Opens FOLDER/catalog.sqlite, and makes both if need be. An empty folder gives a private temporary
  /// database that vanishes with the object (--no-catalog). A database of a newer version (kUnsupported), a
  /// broken one or something else (kMalformed) is an error that names the file and says what to do. One of an
  /// output folder (FOLDER is called .imgmill) that was copied or moved knows its files at their new place.
  static Result<std::unique_ptr<Catalog>> Open(const std::string& folder);
  /// Commits; call Flush before to learn of a failure.
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // ---- files
  /// Quick where files are asked for in bytewise order of their paths.
  std::optional<KnownFile> FindFile(std::string_view absolute_path);
  /// How many files are known, whether they are still there or not.
  Result<uint64_t> CountFiles();
  Status PutFile(std::string_view absolute_path, const KnownFile& file);

  /// An input folder of the run. Where one with this identity is known by another path, all that is known of
  /// files below that one is of files below this one from now on: the folder was moved, or is mounted
  /// elsewhere. What their bytes are is not taken on trust by that: their stamps must be as they were. Where
  /// it takes the place of another known folder, as when two are swapped, finished work stays with the place:
  /// the outputs there are made again out of the files that are there now.
  /// @param folder  absolute; not "/".
  Status KnowFolder(const std::string& folder, const FolderIdentity& identity);

  // ---- facts of a content; name and version belong together ("phash/1"), value is the operation's own bytes
  std::optional<std::string> FindFact(const ContentDigest& content, std::string_view name);
  /// @param beside_file  absolute path of a file that was put with this content: FindFile brings a copy of
  ///   the fact along then, and FindFact right after it costs no look-up. For small values that are a
  ///   function of the content alone: a copy beside another file stays as it is when the fact is put again.
  Status PutFact(const ContentDigest& content, std::string_view name, std::string_view value,
                 std::string_view beside_file = {});
  /// Every content that has this fact, in order of digest, for a reduce over all; `each` may call the
  /// catalog, and returns false to stop. Facts put meanwhile may or may not be seen.
  Status ForEachFact(std::string_view name,
                     const std::function<bool(const ContentDigest& content, std::string_view value)>& each);

  /// Every known file in bytewise order of path, as it was last seen: whether it is still there, the caller
  /// must look. `each` as above.
  /// @param name  of a fact, whose value `each` gets where the file's content has it
  Status ForEachFileAndFact(std::string_view name,
                            const std::function<bool(const std::string& path, const KnownFile& file,
                                                     const std::optional<std::string>& value)>& each);

  // ---- finished work
  std::optional<WorkRow> FindWork(const WorkKey& key);
  /// Durable against a killed process when it returns, with all puts before it. (Against a power cut, too,
  /// where the journal is no WAL; with a WAL the last rows may be lost then, never the database.)
  Status PutWork(const WorkKey& key, const WorkRow& row);
  /// Several rows in one transaction, as durable as one. After an error the first of them may be there, never
  /// a later one without those before it.
  Status PutWork(std::span<const std::pair<WorkKey, WorkRow>> rows);
  /// All outputs of one source's work, to find whether they are done together.
  Status ForEachWork(const std::string& source, const ContentDigest& content, const std::string& fingerprint,
                     const std::function<bool(const std::string& output, const WorkRow& row)>& each);
  /// All rows, of any source and fingerprint, whose output this is, in bytewise order of source within a
  /// fingerprint: whether a file in place is ours, and whose output it is.
  std::vector<FoundWork> FindOutputs(const std::string& output);

  /// The places, one after the other, that actions on images, such as those of a pipeline's later steps, have
  /// moved the file to that had this content at `path`, an absolute one. What is there now, the caller must
  /// look.
  /// @param content  nothing: whatever it had, as a file that was edited before it was moved
  std::vector<std::string> FindMoved(const std::string& path, const std::optional<ContentDigest>& content);

  /// Commits what was put, and returns the first error since the last Flush.
  Status Flush();
  /// As given to Open.
  const std::string& folder() const;

 private:
  Catalog();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
