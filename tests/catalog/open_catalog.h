// Catalogs that the tests open, and what they put in them.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "catalog/database.h"
#include "dataset/test_folder.h"
#include "imgmill/catalog/catalog.h"

namespace imgmill {

inline ContentDigest Digest(const std::string& of) {
  return DigestOfBytes(of.data(), of.size());
}

inline std::unique_ptr<Catalog> OpenOrFail(const std::string& folder) {
  Result<std::unique_ptr<Catalog>> catalog = Catalog::Open(folder);
  if (!catalog) FAIL(catalog.error().message);
  return *std::move(catalog);
}

/// A catalog, and its database as another program has it open.
struct CatalogOpenTwice {
  const TestFolder folder;
  const std::unique_ptr<Catalog> catalog = OpenOrFail(folder / "c");
  Database other;

  CatalogOpenTwice() { REQUIRE(other.Open(folder / "c/catalog.sqlite")); }
};

}  // namespace imgmill
