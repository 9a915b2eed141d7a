//! Types that are the same on both sides of the line, told once.

/// From one enum to another with cases of the same names.
macro_rules! same_cases {
    ($from:ty => $to:ty { $($name:ident),+ $(,)? }) => {
        impl From<$from> for $to {
            fn from(from: $from) -> Self {
                match from {
                    $(<$from>::$name => Self::$name,)+
                }
            }
        }
    };
}

/// From one struct to another and back, with fields of the same names and types that convert.
macro_rules! same_fields {
    ($one:ty => $other:ty { $($name:ident),+ $(,)? }) => {
        impl From<$one> for $other {
            fn from(from: $one) -> Self {
                Self { $($name: from.$name.into(),)+ }
            }
        }
    };
    ($one:ty, $other:ty { $($name:ident),+ $(,)? }) => {
        same_fields!($one => $other { $($name),+ });
        same_fields!($other => $one { $($name),+ });
    };
}
