// Rows that are on the disk before what they announce.
#pragma once

#include "imgmill/catalog/catalog.h"

namespace imgmill {

/// Waits until all rows that were put so far outlive a power cut. A commit to a WAL does not wait by itself;
/// that of an intent must, or the files that it announces would be strangers afterwards. Nothing to do where
/// the catalog has no WAL, or is no file.
Status MakeRowsDurable(const Catalog& catalog);

}  // namespace imgmill
