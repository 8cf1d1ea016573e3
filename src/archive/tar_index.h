// What is in a tar archive, and where: read from its headers alone.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"
#include "imgmill/base/stop_flag.h"

namespace imgmill {

/// Regular files by name. Reads what GNU tar, bsdtar, Python's tarfile and webdataset write: v7, ustar, pax
/// (POSIX.1-2001), and GNU's long names and large sizes. Names are as a path below the archive: without "./"
/// and slashes in front.
///
/// Memory: 24 bytes and the name for each member.
class TarIndex {
 public:
  struct Member {
    std::string_view name;
    uint64_t start = 0;  ///< of its bytes in the archive
    uint64_t bytes = 0;
  };
  /// What is there and cannot be had, or may be missing. The name is empty where it is about the archive.
  struct Problem {
    std::string name;
    Error error;
  };

  /// A member whose name has more bytes is a problem: no path that leads to it could be opened.
  static constexpr size_t kLongestName = 4095;

  /// Who looks on while an archive is read.
  struct Watch {
    const StopFlag* stop = nullptr;
    /// Asked as it grows, with the bytes held by then; its error ends the reading. May be empty.
    std::function<Status(size_t bytes)> may_hold;
  };

  /// @param file  open for reading, `bytes` long, not owned. Its position does not matter.
  /// kUnsupported where it is compressed or otherwise no tar archive, kReadError, kInterrupted, and what
  /// `watch` answers. Damage behind the first header is a problem: what stands before it is kept.
  static Result<TarIndex> Read(int file, uint64_t bytes, const Watch& watch);
  static Result<TarIndex> Read(int file, uint64_t bytes) { return Read(file, bytes, Watch()); }

  /// In bytewise order of the names, each of which is there once.
  size_t size() const { return places_.size(); }
  Member operator[](size_t index) const;
  /// The first whose name is not less.
  size_t From(std::string_view name) const;
  std::optional<Member> Find(std::string_view name) const;
  /// Whether members lie in a folder of that name; "" is the archive's top.
  bool HasFolder(std::string_view name) const;

  const std::vector<Problem>& problems() const { return problems_; }
  /// Bytes that it holds, and that the copies of problems() will.
  size_t memory() const;

 private:
  friend class TarScan;
  struct Place {
    uint64_t start, bytes;
    uint64_t name;  ///< number of a piece, and where it begins in that; a NUL ends it
  };
  std::string_view NameOf(const Place& place) const;
  void Add(std::string_view name, uint64_t start, uint64_t bytes);
  void Tell(std::string name, Error error);
  Status Sort(const Watch& watch);

  std::vector<std::unique_ptr<char[]>> pieces_;
  size_t piece_used_ = 0;  ///< of the last
  std::deque<Place> places_;
  std::vector<Problem> problems_;
  size_t problem_bytes_ = 0;
};

}  // namespace imgmill
