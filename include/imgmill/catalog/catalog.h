// What is known about files from earlier runs: identity, facts and finished work, in one SQLite database.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/dataset/file_identity.h"

namespace imgmill {

/// Where a run's catalog is: DIR given, the output folder's .imgmill/, or the XDG state folder keyed by the
/// canonical input root.
Result<std::string> DefaultCatalogFolder(const std::string& output_folder, const std::string& input_root);

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

/// Thread-safe; writes are collected in transactions and committed at least every half second, at Flush and
/// at the end. WAL where the file system allows it, else a rollback journal.
class Catalog {
 public:
  /// An empty folder gives a private temporary database that vanishes with the object (--no-catalog).
  /// A database of a newer version, or a broken one, is an error that names the file and says what to do.
  static Result<std::unique_ptr<Catalog>> Open(const std::string& folder);
  ~Catalog();
  Catalog(const Catalog&) = delete;

  // ---- files
  std::optional<KnownFile> FindFile(std::string_view absolute_path);
  Status PutFile(std::string_view absolute_path, const KnownFile& file);

  // ---- facts of a content; name and version belong together ("phash/1"), value is the operation's own bytes
  std::optional<std::string> FindFact(const ContentDigest& content, std::string_view name);
  Status PutFact(const ContentDigest& content, std::string_view name, std::string_view value);

  // ---- finished work
  std::optional<WorkRow> FindWork(const WorkKey& key);
  /// Durable against a killed process when it returns.
  Status PutWork(const WorkKey& key, const WorkRow& row);
  /// Outputs of this folder's work, to find two sources that want one output.
  std::optional<std::string> FindSourceOf(const std::string& output, const std::string& fingerprint);

  Status Flush();
  const std::string& folder() const;

 private:
  Catalog();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace imgmill
