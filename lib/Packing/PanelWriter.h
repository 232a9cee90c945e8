//===- PanelWriter.h - Rows into panels -------------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Writes the rows of one panel where the layout wants them.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_PACKING_PANELWRITER_H
#define RLX_LIB_PACKING_PANELWRITER_H

#include "RowReader.h"

namespace rlx {

/// Packs panel `panel` of `reader`'s rows into `bytes` (panelBytes), which must be zero before.
/// Returns the error of quantising.
SquaredError writePanel(WeightFormat format, const RowReader &reader, uint64_t panel,
                        RowBuffer &buffer, llvm::MutableArrayRef<uint8_t> bytes);

} // namespace rlx

#endif // RLX_LIB_PACKING_PANELWRITER_H
