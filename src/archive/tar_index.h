// What is in a tar archive, and where: read from its headers alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imgmill/base/result.h"

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

  /// @param file  open for reading, `bytes` long, not owned. Its position does not matter.
  /// kUnsupported where it is compressed or otherwise no tar archive, kReadError, kLimitExceeded. Damage
  /// behind the first header is a problem: what stands before it is kept.
  static Result<TarIndex> Read(int file, uint64_t bytes);

  /// In bytewise order of the names, each of which is there once.
  size_t size() const { return places_.size(); }
  Member operator[](size_t index) const;
  /// The first whose name is not less.
  size_t From(std::string_view name) const;
  std::optional<Member> Find(std::string_view name) const;
  /// Whether members lie in a folder of that name; "" is the archive's top.
  bool HasFolder(std::string_view name) const;

  const std::vector<Problem>& problems() const { return problems_; }
  /// That it holds.
  size_t memory() const { return names_.capacity() + places_.capacity() * sizeof(Place); }

 private:
  friend class TarScan;
  struct Place {
    uint64_t start, bytes;
    uint64_t name;  ///< where it begins in names_; a NUL ends it
  };
  std::string_view NameOf(const Place& place) const { return names_.data() + place.name; }
  void Add(std::string_view name, uint64_t start, uint64_t bytes);
  void Sort();

  std::string names_;
  std::vector<Place> places_;
  std::vector<Problem> problems_;
};

}  // namespace imgmill
